import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const FOLDER = new URL('../../workflows/', import.meta.url);

/** Names of an options object's fields, spreads and constants of the same file followed. */
function keysOf(
  node: ts.Expression | undefined,
  constants: ReadonlyMap<string, ts.Expression>,
): readonly string[] {
  if (!node) return [];
  if (ts.isAsExpression(node)) return keysOf(node.expression, constants);
  if (ts.isIdentifier(node)) return keysOf(constants.get(node.text), constants);
  if (!ts.isObjectLiteralExpression(node)) return [];
  return node.properties.flatMap((property) =>
    ts.isSpreadAssignment(property) ? keysOf(property.expression, constants) : [property.name.getText()],
  );
}

/** Every proxyActivities and proxyLocalActivities of the workflows, with the names of the options it is given. */
function proxies(): { readonly where: string; readonly keys: readonly string[] }[] {
  return readdirSync(FOLDER).flatMap((name) => {
    const file = ts.createSourceFile(
      name,
      readFileSync(new URL(name, FOLDER), 'utf8'),
      ts.ScriptTarget.ES2023,
      true,
    );
    const constants = new Map<string, ts.Expression>();
    const calls: ts.CallExpression[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isVariableDeclaration(node) && node.initializer)
        constants.set(node.name.getText(), node.initializer);
      if (ts.isCallExpression(node) && /^proxy(Local)?Activities$/.test(node.expression.getText()))
        calls.push(node);
      ts.forEachChild(node, visit);
    };
    visit(file);
    return calls.map((call) => ({
      where: `${name}: ${call.getText().replace(/\s+/g, ' ').slice(0, 60)}`,
      keys: keysOf(call.arguments[0], constants),
    }));
  });
}

/** Class of defect: an activity that may hang for ever, or is retried by default and without an end in sight (J-WFL-02). */
describe('activities, as workflows call them', () => {
  it('are called in more than one place, or this sweep sees nothing', () => assert.ok(proxies().length > 2));

  for (const { where, keys } of proxies()) {
    it(`have a timeout and a retry policy: ${where}`, () => {
      assert.ok(keys.includes('startToCloseTimeout') && keys.includes('retry'), keys.join(', '));
    });
  }
});
