/**
 * Compiles a schema shape into a function from the typed value to XML text.
 * Source: contract s3-surface section 3; XML 1.0.
 */
import { memoised, type Member, type Shape } from './schema.ts';
import { formatHttpDate, formatIsoMillis, formatIsoSeconds } from './timestamp.ts';

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

export interface XmlEncodeOptions {
  /** `2026-11-23T10:00:00Z` instead of milliseconds. */
  readonly wholeSeconds?: boolean;
  /** Last word on a string member's text (quotes around ETag). */
  readonly adjust?: (member: Member) => ((text: string) => string) | undefined;
}

/** Content of an element: without its own tags. */
type ContentEncoder = (value: unknown) => string;

/** Writes one element (or, for flattened lists, several). */
export type ElementEncoder = (value: unknown) => string;

/** Escapes text and attribute values. Characters that XML 1.0 forbids become references, as S3 writes them. */
export function escapeXml(text: string): string {
  return NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED, escapeChar) : text;
}

const NEEDS_ESCAPE = /[&<>"'\u0000-\u0008\u000b-\u001f\ufffe\uffff\ud800-\udfff]/;
/** With the u flag, a surrogate matches only when it stands alone. */
const ESCAPED = /[&<>"'\u0000-\u0008\u000b-\u001f\ufffe\uffff\ud800-\udfff]/gu;
const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

function escapeChar(char: string): string {
  const code = char.charCodeAt(0);
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return NAMED[char] ?? `&#x${code.toString(16)};`;
}

/** Element encoders share sub-shapes; one compiler serves one protocol. */
export class XmlEncoderCompiler {
  readonly #content = memoised<ContentEncoder>((shape) => this.#build(shape));
  readonly #options: XmlEncodeOptions;

  constructor(options: XmlEncodeOptions = {}) {
    this.#options = options;
  }

  /** A document's root: `<tag xmlns="...">...</tag>`, without declaration. */
  root(tag: string, namespace: string, shape: Shape): ElementEncoder {
    const content = this.content(shape);
    const open = `<${tag} xmlns="${namespace}"`;
    return (value) => wrap(open, tag, content(value));
  }

  /** Every member of a structure as an element encoder, in schema order; attributes left out. */
  members(shape: Shape): { member: Member; encode: ElementEncoder }[] {
    return shape.members.filter((member) => !member.own.xmlAttribute).map((member) => ({ member, encode: this.member(member) }));
  }

  member(member: Member): ElementEncoder {
    const tag = member.own.xmlName ?? member.name;
    const { shape } = member;
    if (shape.kind === 'list' && member.own.xmlFlattened) {
      const encode = this.#element(tag, shape.value!, {});
      return (value) => {
        let text = '';
        for (const item of value as readonly unknown[]) text += encode(item);
        return text;
      };
    }
    const adjust = shape.kind === 'string' ? this.#options.adjust?.(member) : undefined;
    const encode = this.#element(tag, shape, member.own);
    return adjust ? (value) => encode(adjust(value as string)) : encode;
  }

  #element(tag: string, shape: Shape, own: Member['own']): ElementEncoder {
    const content = this.content(shape);
    const namespace = own.xmlNamespace ?? shape.traits.xmlNamespace;
    const declaration = namespace ? ` xmlns:${namespace[0]}="${namespace[1]}"` : '';
    const attributes = shape.members.filter((member) => member.own.xmlAttribute);
    if (attributes.length === 0) {
      const [open, close, empty] = [`<${tag}${declaration}>`, `</${tag}>`, `<${tag}${declaration}/>`];
      return (value) => {
        const text = content(value);
        return text === '' ? empty : open + text + close;
      };
    }
    return (value) => {
      let open = `<${tag}${declaration}`;
      for (const { name, own: attribute } of attributes) {
        const text = (value as Record<string, unknown>)[name];
        if (text !== undefined) open += ` ${attribute.xmlName ?? name}="${escapeXml(String(text))}"`;
      }
      return wrap(open, tag, content(value));
    };
  }

  content(shape: Shape): ContentEncoder {
    return this.#content(shape);
  }

  #build(shape: Shape): ContentEncoder {
    switch (shape.kind) {
      case 'struct': {
        const members = this.members(shape).map(({ member, encode }) => ({ name: member.name, encode }));
        return (value) => {
          let text = '';
          for (const { name, encode } of members) {
            const item = (value as Record<string, unknown>)[name];
            if (item !== undefined && item !== null) text += encode(item);
          }
          return text;
        };
      }
      case 'list': {
        const encode = this.#element(shape.valueTraits.xmlName ?? 'member', shape.value!, {});
        return (value) => {
          let text = '';
          for (const item of value as readonly unknown[]) text += encode(item);
          return text;
        };
      }
      case 'map': {
        const encode = this.content(shape.value!);
        return (value) => {
          let text = '';
          for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
            text += `<entry><key>${escapeXml(key)}</key><value>${encode(item)}</value></entry>`;
          }
          return text;
        };
      }
      case 'string':
        return (value) => escapeXml(String(value));
      case 'number':
      case 'boolean':
        return (value) => String(value);
      case 'timestamp':
        if (shape.timestampFormat === 'http-date') return (value) => formatHttpDate(value as Date);
        return this.#options.wholeSeconds ? (value) => formatIsoSeconds(value as Date) : (value) => formatIsoMillis(value as Date);
      case 'blob':
        return (value) => Buffer.from(value as Uint8Array).toString('base64');
      default:
        throw new Error(`no XML writing for ${shape.kind} ${shape.name}`);
    }
  }
}

function wrap(open: string, tag: string, content: string): string {
  return content === '' ? `${open}/>` : `${open}>${content}</${tag}>`;
}
