/** Our own lint rules, run by oxlint beside its own (see .oxlintrc.json). */
import { isAbsolute, relative, sep } from 'node:path';
import { projectRoot } from '../pinned-node.mjs';
import { refuseImport } from './import-map.ts';

const importMap = {
  meta: { docs: { description: 'Rooms import downwards only, and drivers stay in their rooms.' } },
  create(context) {
    const from = projectPath(context.filename);
    const judge = (node, names, typeOnly) => {
      const message = refuseImport({ from, specifier: node.source.value, names, typeOnly });
      if (message !== undefined) context.report({ node, message });
    };
    const judgeNamed = (node, kind, nameOf) => {
      const values = (node.specifiers ?? []).filter((specifier) => specifier[kind] !== 'type').map(nameOf);
      const typeOnly = node[kind] === 'type' || (node.specifiers?.length > 0 && values.length === 0);
      judge(node, typeOnly ? [] : values, typeOnly);
    };
    return {
      ImportDeclaration: (node) => judgeNamed(node, 'importKind', (specifier) => specifier.imported?.name ?? specifier.local.name),
      ExportNamedDeclaration: (node) => node.source && judgeNamed(node, 'exportKind', (specifier) => specifier.local.name),
      ExportAllDeclaration: (node) => judge(node, [], node.exportKind === 'type'),
      ImportExpression: (node) => typeof node.source.value === 'string' && judge(node, [], false),
    };
  },
};

/** Time and chance are handed in (base/clock), so that a test can move them and repeat them. */
const handedIn = {
  meta: { docs: { description: 'No Date.now(), new Date() or Math.random() outside base/clock.ts.' } },
  create(context) {
    const from = projectPath(context.filename);
    if (!from.startsWith('src/') || from === 'src/base/clock.ts' || from.endsWith('.test.ts')) return {};
    return {
      MemberExpression(node) {
        const name = `${node.object.name}.${node.property.name}`;
        if (name === 'Date.now') context.report({ node, message: 'Take the time from a Clock (base/clock.ts) that is handed in.' });
        if (name === 'Math.random') context.report({ node, message: 'Take randomness from node:crypto.' });
      },
      NewExpression(node) {
        if (node.callee.name === 'Date' && node.arguments.length === 0) {
          context.report({ node, message: 'Take the time from a Clock (base/clock.ts) that is handed in.' });
        }
      },
    };
  },
};

export default { meta: { name: 'coffer' }, rules: { 'import-map': importMap, 'handed-in': handedIn } };

function projectPath(filename) {
  return (isAbsolute(filename) ? relative(projectRoot, filename) : filename).split(sep).join('/');
}
