/** `npm run shape`: the ten longest files and functions. Numbers for a reader; nothing fails. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

type Size = { readonly name: string; readonly lines: number };

function sourceFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    encoding: 'utf8',
  });
  return listed.split('\n').filter((path) => path !== '' && !path.startsWith('tests/'));
}

function nameOf(node: ts.FunctionLikeDeclaration): string {
  if (node.name) return node.name.getText();
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText();
  return '(anonymous)';
}

function functionsIn(path: string, text: string): Size[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  const found: Size[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const lines = lineOf(node.getEnd()) - lineOf(node.getStart()) + 1;
      found.push({ name: `${path} ${nameOf(node)}`, lines });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function print(title: string, sizes: readonly Size[]): void {
  console.log(`\n${title}`);
  const longest = [...sizes].sort((a, b) => b.lines - a.lines).slice(0, 10);
  for (const { name, lines } of longest) console.log(`${String(lines).padStart(5)}  ${name}`);
}

const files = sourceFiles().map((path) => ({ path, text: readFileSync(path, 'utf8') }));
print(
  'Longest files (lines)',
  files.map(({ path, text }) => ({ name: path, lines: text.split('\n').length })),
);
print(
  'Longest functions (lines)',
  files.flatMap(({ path, text }) => functionsIn(path, text)),
);
