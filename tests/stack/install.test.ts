import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { left, nodeProblem, whyInstall } from '../../scripts/install.mjs';

describe('before a start', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'countersign-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const checkout = (lock: object, installed: object | undefined) => {
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...lock } }));
    if (installed === undefined) return;
    mkdirSync(join(root, 'node_modules'));
    const path = join(root, 'node_modules', '.package-lock.json');
    writeFileSync(path, JSON.stringify({ packages: installed }));
    // As after a checkout that touched the lock file.
    utimesSync(path, new Date(0), new Date(0));
  };
  const pg = { 'node_modules/pg': { version: '8.23.1' } };

  it('everything is installed when nothing is there', () => {
    checkout(pg, undefined);
    assert.equal(whyInstall(root), 'nothing is installed yet');
  });

  it('everything is installed again when a version has changed', () => {
    checkout(pg, { 'node_modules/pg': { version: '8.0.0' } });
    assert.equal(whyInstall(root), 'package-lock.json has changed');
  });

  it('nothing is installed when the lock file was only touched', () => {
    checkout({ ...pg, 'node_modules/darwin': { version: '1.0.0', optional: true } }, pg);
    assert.equal(whyInstall(root), undefined);
  });

  const versions: readonly (readonly [string, boolean])[] = [
    ['20.19.0', true],
    ['20.20.2', true],
    ['24.0.0', true],
    ['20.18.9', false],
    ['18.20.0', false],
  ];
  for (const [version, isEnough] of versions) {
    it(`Node ${version} is ${isEnough ? 'accepted' : 'refused with the version that is needed'}`, () => {
      const problem = nodeProblem(version, '>=20.19.0');
      if (isEnough) assert.equal(problem, undefined);
      else assert.match(problem ?? '', />=20\.19\.0/);
    });
  }

  it('what is left of the installation is told from what has come', () => {
    assert.equal(left(100, 400, 10), '100 of 400 fetched, 10 s, about 30 s left');
  });
});
