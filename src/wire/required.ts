/**
 * Finds required members that are absent, in AWS's words. Length, range and pattern are the services' matter: client
 * schemas do not carry them.
 * Source: contract kms-iam-audit 1.1 (constraint violations).
 */
import type { Shape } from './schema.ts';

type Collector = (value: unknown, path: string, missing: string[]) => void;

/** A function that answers the whole message, or undefined when nothing required is missing. Compiled once. */
export function missingMembers(shape: Shape): (value: unknown) => string | undefined {
  const collect = collectorOf(shape, new Map());
  if (!collect) return () => undefined;
  return (value) => {
    const paths: string[] = [];
    collect(value, '', paths);
    if (paths.length === 0) return undefined;
    const clauses = paths.map((path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`);
    return `${paths.length} validation error${paths.length === 1 ? '' : 's'} detected: ${clauses.join('; ')}`;
  };
}

function collectorOf(shape: Shape, known: Map<Shape, Collector | undefined>): Collector | undefined {
  if (known.has(shape)) return known.get(shape);
  // A shape inside itself is looked at once; no input shape of these services is recursive.
  known.set(shape, undefined);
  const collector = build(shape, known);
  known.set(shape, collector);
  return collector;
}

function build(shape: Shape, known: Map<Shape, Collector | undefined>): Collector | undefined {
  if (shape.kind === 'struct') {
    const members = shape.members
      .map((member) => ({ name: member.name, field: lowerCamel(member.name), required: member.required, collect: collectorOf(member.shape, known) }))
      .filter((member) => member.required || member.collect);
    if (members.length === 0) return undefined;
    return (value, path, missing) => {
      for (const { name, field, required, collect } of members) {
        const item = (value as Record<string, unknown>)[name];
        if (item === undefined) {
          if (required) missing.push(path + field);
        } else collect?.(item, `${path}${field}.`, missing);
      }
    };
  }
  if (shape.kind === 'list') {
    const collect = collectorOf(shape.value!, known);
    return collect && ((value, path, missing) => (value as unknown[]).forEach((item, index) => collect(item, `${path}${index + 1}.member.`, missing)));
  }
  return undefined;
}

/** `KeyId` is `keyId` in messages. */
export function lowerCamel(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
