/** Every scope a token may carry. `:self` scopes reach the caller's own records only. */
export const SCOPES = [
  'orders:read',
  'orders:read:self',
  'orders:place:self',
  'orders:write',
  'inventory:read',
  'inventory:write',
  'catalog:read',
  'promotions:read',
  'promotions:write',
  'logistics:read',
  'logistics:write',
  'returns:read',
  'returns:write',
  'returns:initiate:self',
  'claims:read',
  'claims:write',
  'payments:read',
  'payments:release_hold',
  'policy:read',
  'briefing:read',
  'query:run',
  'analytics:read',
  'customers:read',
  'customers:pii',
  'actions:read',
  'approvals:read',
  'approvals:decide',
  'audit:read',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

export const ROLES = [
  'supply_chain_manager',
  'warehouse_lead',
  'returns_specialist',
  'finance',
  'analyst',
  'customer',
  'prototype',
  'admin',
] as const;

export type Role = (typeof ROLES)[number];

const STAFF = ['actions:read', 'catalog:read', 'policy:read'] as const;

/** What each role may do (requirements, section 8). `catalog:read` is what shoppers see: stock, prices, shipping. */
export const SCOPES_OF: Readonly<Record<Role, readonly Scope[]>> = {
  supply_chain_manager: [
    ...STAFF,
    'orders:read',
    'inventory:read',
    'inventory:write',
    'promotions:read',
    'promotions:write',
    'logistics:read',
    'logistics:write',
    'returns:read',
    'claims:read',
    'payments:read',
    'briefing:read',
    'query:run',
    'analytics:read',
    'approvals:read',
    'approvals:decide',
    'audit:read',
  ],
  warehouse_lead: [
    ...STAFF,
    'inventory:read',
    'inventory:write',
    'orders:read',
    'orders:write',
    'logistics:read',
    'approvals:read',
    'approvals:decide',
  ],
  returns_specialist: [
    ...STAFF,
    'returns:read',
    'returns:write',
    'claims:read',
    'claims:write',
    'orders:read',
  ],
  finance: [
    ...STAFF,
    'payments:read',
    'payments:release_hold',
    'promotions:read',
    'promotions:write',
    'orders:read',
    'approvals:read',
    'approvals:decide',
    'audit:read',
  ],
  analyst: [
    ...STAFF,
    'query:run',
    'analytics:read',
    'customers:read',
    'inventory:read',
    'orders:read',
    'promotions:read',
  ],
  customer: ['orders:read:self', 'orders:place:self', 'returns:initiate:self', 'catalog:read', 'policy:read'],
  // All read scopes of one shop (document 002, FR12).
  prototype: [
    ...STAFF,
    'orders:read',
    'inventory:read',
    'promotions:read',
    'logistics:read',
    'returns:read',
    'claims:read',
    'payments:read',
    'briefing:read',
    'query:run',
    'analytics:read',
    'customers:read',
  ],
  // Models, users, keys; no business writes.
  admin: ['admin', 'audit:read', 'approvals:read'],
};

export function scopesOf(roles: readonly Role[]): readonly Scope[] {
  return [...new Set(roles.flatMap((role) => SCOPES_OF[role]))];
}

export function isRole(text: string): text is Role {
  // The cast widens the tuple so that any string may be looked up in it.
  return (ROLES as readonly string[]).includes(text);
}

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
