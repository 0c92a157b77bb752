/**
 * Compiles a schema shape into a function from an XML element to the typed value, strictly: children in any order,
 * but none unknown, none twice, none missing, every value of its type.
 * Source: contract s3-surface section 3.
 */
import { decodeBase64 } from '../base/bytes.ts';
import { memoised, type Member, type Shape } from './schema.ts';
import { parseEpochSeconds, parseHttpDate, parseIsoDate } from './timestamp.ts';
import { XmlError, type XmlElement } from './xml-reader.ts';

export type XmlDecoder = (element: XmlElement) => unknown;

export interface XmlDecodeOptions {
  readonly ignoreUnknownElements: boolean;
  /** The values that a string member of a structure may have, or undefined when any will do. */
  readonly allowedValues: (structure: string, member: string) => ReadonlySet<string> | undefined;
}

/** The decoder throws XmlError for whatever does not fit the shape. */
export function compileXmlDecoder(shape: Shape, options: XmlDecodeOptions): XmlDecoder {
  return memoised<XmlDecoder>((target, compile) => {
    switch (target.kind) {
      case 'struct':
        return structDecoder(target, compile, options);
      case 'list':
        return listDecoder(target, compile);
      case 'map':
        throw new Error(`no XML map is modelled in S3: ${target.name}`);
      default:
        return scalarDecoder(target);
    }
  })(shape);
}

interface MemberDecoder {
  readonly name: string;
  readonly flattened: boolean;
  readonly decode: XmlDecoder;
}

function structDecoder(shape: Shape, compile: (shape: Shape) => XmlDecoder, options: XmlDecodeOptions): XmlDecoder {
  const byElement = new Map<string, MemberDecoder>();
  const attributes: { attribute: string; name: string; required: boolean; allowed: ReadonlySet<string> | undefined }[] = [];
  const required: string[] = [];
  for (const member of shape.members) {
    const element = member.own.xmlName ?? member.name;
    if (member.own.xmlAttribute) {
      attributes.push({ attribute: element.slice(element.indexOf(':') + 1), name: member.name, required: member.required, allowed: options.allowedValues(shape.name, member.name) });
      continue;
    }
    if (member.required) required.push(member.name);
    const flattened = member.shape.kind === 'list' && member.own.xmlFlattened !== undefined;
    const decode = restricted(compile(flattened ? member.shape.value! : member.shape), shape, member, options);
    byElement.set(element, { name: member.name, flattened, decode });
  }
  return (element) => {
    requireBlankText(element);
    const value: Record<string, unknown> = {};
    for (const { attribute, name, required: isRequired, allowed } of attributes) {
      const text = element.attributes?.get(attribute);
      if (text !== undefined && allowed && !allowed.has(text)) throw new XmlError(`${name} has no value of its enumeration`, 'value');
      if (text !== undefined) value[name] = text;
      else if (isRequired) throw new XmlError(`missing attribute ${attribute}`, 'value');
    }
    let childCount = 0;
    for (const child of element.children) {
      const member = byElement.get(child.name);
      if (!member) {
        if (options.ignoreUnknownElements) continue;
        throw new XmlError(`unknown element ${child.name} in ${element.name}`, 'value');
      }
      childCount++;
      if (member.flattened) ((value[member.name] ??= []) as unknown[]).push(member.decode(child));
      else if (Object.hasOwn(value, member.name)) throw new XmlError(`repeated element ${child.name}`);
      else value[member.name] = member.decode(child);
    }
    for (const name of required) if (!Object.hasOwn(value, name)) throw new XmlError(`missing element ${name} in ${element.name}`, 'value');
    if (shape.isUnion && childCount !== 1) throw new XmlError(`${element.name} wants exactly one child`, childCount === 0 ? 'value' : 'document');
    return value;
  };
}

function restricted(decode: XmlDecoder, shape: Shape, member: Member, options: XmlDecodeOptions): XmlDecoder {
  const allowed = options.allowedValues(shape.name, member.name);
  if (!allowed) return decode;
  return (element) => {
    const value = decode(element);
    for (const text of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (!allowed.has(text as string)) throw new XmlError(`${member.name} has no value of its enumeration`, 'value');
    }
    return value;
  };
}

function listDecoder(shape: Shape, compile: (shape: Shape) => XmlDecoder): XmlDecoder {
  const name = shape.valueTraits.xmlName ?? 'member';
  const decode = compile(shape.value!);
  return (element) => {
    requireBlankText(element);
    return element.children.map((child) => {
      if (child.name !== name) throw new XmlError(`unknown element ${child.name} in ${element.name}`);
      return decode(child);
    });
  };
}

function scalarDecoder(shape: Shape): XmlDecoder {
  const parse = scalarParser(shape);
  return (element) => {
    if (element.children.length > 0) throw new XmlError(`elements in ${element.name}`);
    const value = parse(element.text);
    if (value === undefined) throw new XmlError(`bad ${shape.kind} in ${element.name}`, 'value');
    return value;
  };
}

function scalarParser(shape: Shape): (text: string) => unknown {
  switch (shape.kind) {
    case 'string':
      return (text) => text;
    case 'number':
      return (text) => parseInteger(text.trim());
    case 'boolean':
      return (text) => parseXmlBoolean(text.trim());
    case 'timestamp':
      return (text) => parseTimestampText(shape, text.trim());
    case 'blob':
      return (text) => decodeBase64(text.trim());
    default:
      throw new Error(`no XML reading for ${shape.kind}`);
  }
}

/** A decimal integer that a double holds exactly, or undefined. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}

function parseXmlBoolean(text: string): boolean | undefined {
  return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined;
}

/** By the shape's format; without one, ISO 8601. */
export function parseTimestampText(shape: Shape, text: string): Date | undefined {
  if (shape.timestampFormat === 'epoch-seconds') return /^-?\d{1,12}(?:\.\d{1,9})?$/.test(text) ? parseEpochSeconds(Number(text)) : undefined;
  if (shape.timestampFormat === 'http-date') return parseHttpDate(text);
  return parseIsoDate(text);
}

function requireBlankText(element: XmlElement): void {
  if (element.text !== '' && element.text.trim() !== '') throw new XmlError(`text in ${element.name}`);
}
