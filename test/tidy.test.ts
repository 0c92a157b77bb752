/**
 * The source, read as text: what neither compiler nor linter looks at. Rules about imports are judged by the
 * linter (scripts/lint/); here the judge itself is tested.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { refuseImport } from '../scripts/lint/import-map.ts';

const root = dirname(import.meta.dirname);
const self = 'test/tidy.test.ts';
const linesMax = 500;

function filesUnder(folder: string, pattern: RegExp): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => pattern.test(path) && !path.includes('node_modules') && !path.startsWith(join('test', 'vectors')));
}

const code = ['src', 'test', 'bench', 'scripts'].flatMap((folder) => filesUnder(folder, /\.(ts|tsx|mjs)$/));
const papers = [...filesUnder('docs', /\.md$/), ...filesUnder('changelog', /\.md$/), ...rootFiles()];
const texts = new Map([...code, ...papers].map((path) => [path, readFileSync(join(root, path), 'utf8')]));
const textOf = (path: string): string => texts.get(path) ?? '';

function rootFiles(): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(md|json|jsonc|mjs|ts)$/.test(entry.name))
    .map((entry) => entry.name);
}

/** Every place where the pattern matches, as `path:line: text`. */
function places(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

describe('tidy', () => {
  test('every file says at its top what it is', () => {
    // A test beside its source has the source's header, and its own titles.
    const judged = code.filter((path) => !(path.startsWith('src') && path.endsWith('.test.ts')));
    const silent = judged.filter((path) => !/^(#!.*\n)?\/\*\*/.test(textOf(path)));
    assert.deepEqual(silent, []);
  });

  test(`no file is longer than ${linesMax} lines`, () => {
    const long = code.filter((path) => textOf(path).split('\n').length - 1 > linesMax);
    assert.deepEqual(long, []);
  });

  test('no test is left out, and none runs alone', () => {
    const tests = code.filter((path) => path.endsWith('.test.ts') && path !== self);
    assert.deepEqual(places(tests, /\b(test|describe|it|suite)\.(only|skip|todo)\b|\b(only|skip|todo): *true\b|\bt\.(skip|todo)\(/), []);
  });

  test('no check is switched off without its reason', () => {
    const judged = code.filter((path) => path !== self);
    assert.deepEqual(places(judged, /\bas any\b(?! \w)|@ts-(ignore|nocheck)|@ts-expect-error(?! \w)|(eslint|oxlint)-disable(?!.* -- )/), []);
  });

  test('no path of one machine, no registry address', () => {
    const judged = [...texts.keys()].filter((path) => path !== self);
    assert.deepEqual(places(judged, /(^|[\s'"`(=:])\/(work|home|root|Users)\/|[A-Z]:\\\\?Users|"resolved": "https?:/), []);
  });

  test('no pictures in the text', () => {
    const judged = [...texts.keys()].filter((path) => !path.endsWith('.test.ts'));
    assert.deepEqual(places(judged, /\p{Emoji_Presentation}/u), []);
  });

  test('every file is used', () => {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path) || !texts.has(path)) return;
      seen.add(path);
      for (const next of namedIn(path)) visit(next);
    };
    for (const path of entryPoints()) visit(path);
    const dead = code.filter((path) => !seen.has(path));
    assert.deepEqual(dead, []);
  });
});

/** What people and programs start by name, the tests, and the measurements right under bench/. */
function entryPoints(): string[] {
  const named = [...textOf('package.json').matchAll(/[\w./-]+\.(?:ts|tsx|mjs)\b/g)].map(([path]) => path);
  const plugins = [...textOf('.oxlintrc.json').matchAll(/[\w./-]+\.mjs\b/g)].map(([path]) => join(path));
  return [...named, ...plugins, ...code.filter((path) => path.endsWith('.test.ts') || /^bench.[^/]+\.ts$/.test(path))];
}

/** Files that a file imports, or starts as a worker through `new URL('./name', import.meta.url)`. */
function namedIn(path: string): string[] {
  const specifiers = textOf(path).matchAll(/(?:from|import|import\() *['"](\.[^'"]+)['"]|new URL\(['"`](\.[^'"`]+)['"`], *import\.meta\.url\)|join\(projectRoot, ('[^)]*')/g);
  return [...specifiers].flatMap(([, imported, started, joined]) => {
    if (joined !== undefined) return [join(...joined.split(',').map((part) => part.trim().replaceAll("'", '')))];
    const target = relative(root, join(root, dirname(path), (imported ?? started ?? '').replace(/\$\{.*$/, '')));
    // `./worker${extension}` leaves its ending open.
    return [target, `${target}.ts`, `${target}ts`];
  });
}

describe('the judge of imports', () => {
  const refused: [from: string, specifier: string, names?: string[], typeOnly?: boolean][] = [
    ['src/base/bytes.ts', '../wire/index.ts'],
    ['src/seal/message.ts', '../keyring/index.ts', [], true],
    ['src/catalog/catalog.ts', '../blobs/index.ts'],
    ['src/services/s3/PutObject.ts', '../kms/Encrypt.ts'],
    ['src/services/s3/PutObject.ts', '../../wire/index.ts', ['decode']],
    ['src/services/operation.ts', './s3/PutObject.ts'],
    ['src/keyring/index.ts', '../objects/index.ts'],
    ['src/catalog/memory-catalog.ts', 'lmdb', ['open']],
    ['src/seal/message.ts', 'saxes'],
    ['src/policy/evaluate.ts', 'node:fs'],
    ['src/services/s3/PutObject.ts', 'node:http'],
    ['src/services/s3/PutObject.ts', '@aws-sdk/client-s3', ['S3Client']],
    ['src/objects/buckets.ts', '../catalog/index.ts', ['openLmdbCatalog']],
    ['src/keyring/index.ts', '../../test/kit/caller.ts'],
    ['src/kitchen/index.ts', '../base/index.ts'],
    ['src/signature/verify.ts', './testing.ts', ['callerOf']],
    ['test/acceptance/objects.test.ts', '../../src/base/index.ts'],
  ];
  for (const [from, specifier, names = [], typeOnly = false] of refused) {
    test(`${from} may not import ${specifier}`, () => {
      assert.equal(typeof refuseImport({ from, specifier, names, typeOnly }), 'string');
    });
  }

  const allowed: [from: string, specifier: string, names?: string[], typeOnly?: boolean][] = [
    ['src/wire/codec.ts', '../base/errors.ts'],
    ['src/services/s3/PutObject.ts', '../../wire/shapes.ts', [], true],
    ['src/services/s3/PutObject.ts', '../operation.ts'],
    ['src/services/s3/PutObject.ts', '../../checksum/index.ts', ['createChecksum']],
    ['src/services/kms/CreateKey.ts', '@aws-sdk/client-kms', ['KeySpec']],
    ['src/catalog/lmdb/environment.ts', 'lmdb', ['open']],
    ['src/server/assemble.ts', '../catalog/index.ts', ['openLmdbCatalog']],
    ['src/objects/buckets.test.ts', '../catalog/index.ts', ['openMemoryCatalog']],
    ['src/objects/buckets.test.ts', '../../test/kit/keyring.ts'],
    ['src/cli/main.ts', '../server/index.ts'],
    ['src/signature/testing.ts', '@smithy/signature-v4', ['SignatureV4']],
    ['src/signature/verify.test.ts', './testing.ts', ['callerOf']],
  ];
  for (const [from, specifier, names = [], typeOnly = false] of allowed) {
    test(`${from} may import ${specifier}`, () => {
      assert.equal(refuseImport({ from, specifier, names, typeOnly }), undefined);
    });
  }
});
