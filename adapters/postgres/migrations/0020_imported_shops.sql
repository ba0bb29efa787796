-- What an imported shop knows beyond the tables of documents 000 and 002.

alter table products
  -- The source's id of the product that this variant belongs to.
  add column variant_of text collate "C",
  -- Flat object: {"color": "blue"}.
  add column options jsonb,
  -- The source's flag. Never a quantity: where no stock was counted there is no row in inventory.
  add column available boolean;
create index products_by_variant on products (shop_id, variant_of) where variant_of is not null;

alter table customers
  add column first_name text,
  add column last_name text,
  add column address2 text,
  add column state text,
  add column zip text;

-- shipping_address is the same in one line, for people.
alter table orders
  add column ship_address1 text,
  add column ship_address2 text,
  add column ship_city text,
  add column ship_state text,
  add column ship_country text,
  add column ship_zip text;

-- Statistics of an import's tables, taken inside its transaction. Without them the foreign keys of a shop that
-- the statistics have never seen are checked by walking all its rows. ANALYZE asks for ownership, and an
-- importer must not own tables: so a function of the owner does it, and nothing else.
create procedure analyze_imported(tables text[])
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  known constant text[] := array['customers', 'products', 'orders', 'order_items', 'payment_methods',
    'order_payments', 'shipments', 'warehouses', 'inventory'];
  name text;
begin
  foreach name in array tables loop
    if not name = any (known) then
      raise exception 'not a table of an import';
    end if;
    execute format('analyze public.%I', name);
  end loop;
end $$;
revoke execute on procedure analyze_imported(text[]) from public;
grant execute on procedure analyze_imported(text[]) to countersign_write;
