/**
 * Form parameters of the Query protocol, from body and query string, as a tree along the dots of their names.
 * Source: contract kms-iam-audit 1.2.
 */
import { percentDecode } from './percent.ts';

export interface FormNode {
  value: string | undefined;
  readonly children: Map<string, FormNode>;
}

/** Bounds the tree; no input shape of IAM or STS comes near. */
const SEGMENT_COUNT_MAX = 16;
const PARAMETER_COUNT_MAX = 10_000;

/**
 * The tree of all parameters. A name given twice keeps its first value, one in the body wins over one in the query
 * string. Undefined when a name or value does not decode, or there are too many.
 */
export function readForm(body: Uint8Array | undefined, query: ReadonlyMap<string, string>): FormNode | undefined {
  const root: FormNode = { value: undefined, children: new Map() };
  let count = 0;
  if (body && body.byteLength > 0) {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1').trim();
    for (const pair of text.split('&')) {
      if (pair === '') continue;
      if (++count > PARAMETER_COUNT_MAX) return undefined;
      const equals = pair.indexOf('=');
      const name = percentDecode(equals < 0 ? pair : pair.slice(0, equals), true);
      const value = equals < 0 ? '' : percentDecode(pair.slice(equals + 1), true);
      if (name === undefined || value === undefined) return undefined;
      plant(root, name, value);
    }
  }
  for (const [name, value] of query) plant(root, name, value);
  return root;
}

function plant(root: FormNode, name: string, value: string): void {
  const segments = name.split('.', SEGMENT_COUNT_MAX + 1);
  // Deeper than any shape: an unknown parameter, ignored like the others.
  if (segments.length > SEGMENT_COUNT_MAX) return;
  let node = root;
  for (const segment of segments) {
    let child = node.children.get(segment);
    if (!child) node.children.set(segment, (child = { value: undefined, children: new Map() }));
    node = child;
  }
  node.value ??= value;
}
