/** A URI, or an RFC 6570 level 1 template (`{name}` only), ready to match. */
export type UriPattern = {
  readonly isTemplate: boolean;
  /** Variables of a matching URI, decoded; undefined when it does not match. */
  match(uri: string): Readonly<Record<string, string>> | undefined;
};

const VARIABLE = /\{(\w+)\}/g;

export function uriPattern(template: string): UriPattern {
  const names = [...template.matchAll(VARIABLE)].map(([, name]) => name ?? '');
  const fixed = template
    .split(/\{\w+\}/)
    .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const pattern = new RegExp(`^${fixed.join('([^/?#]+)')}$`);
  return {
    isTemplate: names.length > 0,
    match(uri) {
      const found = pattern.exec(uri);
      if (!found) return undefined;
      const values = names.map((name, index) => [name, decoded(found[index + 1] ?? '')] as const);
      if (values.some(([, value]) => value === undefined)) return undefined;
      return Object.fromEntries(values.map(([name, value]) => [name, value ?? '']));
    },
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    // A stray % is no URI of ours.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
