/**
 * Tags of objects and buckets: what they may be, and the header form that writers send.
 * Source: contract s3-surface.md section 4; https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 */
import { ServiceError } from '../../base/index.ts';
import type { Tag } from '../../objects/index.ts';
import { s3Errors } from './errors.ts';

/** How many tags, and how their excess is worded. */
interface TagBounds {
  countMax: number;
  tooMany: string;
}

export const objectTagBounds: TagBounds = { countMax: 10, tooMany: 'Object tags cannot be greater than 10' };
export const bucketTagBounds: TagBounds = { countMax: 50, tooMany: 'Bucket tag count cannot be greater than 50' };

const keyLengthMax = 128;
const valueLengthMax = 256;
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The tags of a document, checked. Throws MalformedXML, InvalidTag, BadRequest. */
export function readTagSet(tagSet: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined, bounds: TagBounds): Tag[] {
  if (tagSet === undefined) throw s3Errors.malformedXml();
  const tags = tagSet.map(({ Key, Value }): Tag => {
    if (Key === undefined || Value === undefined) throw s3Errors.malformedXml();
    return { Key, Value };
  });
  requireTags(tags, bounds);
  return tags;
}

function requireTags(tags: readonly Tag[], { countMax, tooMany }: TagBounds): void {
  if (tags.length > countMax) throw new ServiceError('BadRequest', 400, tooMany);
  const keys = new Set<string>();
  for (const { Key, Value } of tags) {
    if (Key.toLowerCase().startsWith('aws:')) throw s3Errors.invalidTag('System tags cannot be added/updated by requester', { TagKey: Key });
    if (Key === '' || Key.length > keyLengthMax || !tagText.test(Key)) throw s3Errors.invalidTag('The TagKey you have provided is invalid', { TagKey: Key });
    if (Value.length > valueLengthMax || !tagText.test(Value)) {
      throw s3Errors.invalidTag('The TagValue you have provided is invalid', { TagKey: Key, TagValue: Value });
    }
    if (keys.has(Key)) throw s3Errors.invalidTag('Cannot provide multiple Tags with the same key', { TagKey: Key });
    keys.add(Key);
  }
}

/**
 * The header x-amz-tagging, a URL query string. Throws InvalidArgument for bad form and for a repeated key,
 * InvalidTag and BadRequest for tags that cannot be.
 */
export function parseTagHeader(header: string): Tag[] {
  const tags: Tag[] = [];
  const keys = new Set<string>();
  for (const pair of header.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decodeFormText(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decodeFormText(pair.slice(equals + 1));
    if (key === undefined || value === undefined || key === '' || keys.has(key)) throw badTagHeader(header);
    keys.add(key);
    tags.push({ Key: key, Value: value });
  }
  requireTags(tags, objectTagBounds);
  return tags;
}

function badTagHeader(header: string): ServiceError {
  return s3Errors.invalidArgument(
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    'x-amz-tagging', header,
  );
}

function decodeFormText(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
