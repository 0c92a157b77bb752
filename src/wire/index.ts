/**
 * HTTP to typed input and typed output to HTTP, for the operations of AWS, driven by the schemas that the official
 * clients export. Knows nothing of what operations do. The path of a request:
 *
 *     addressRequest -> openService / loadedService -> route -> codec.decodeHead, codec.decodeBody
 *                                                           -> (handler) -> codec.encode, or encodeError
 */
export { addressRequest, type Address, type AddressOptions, type OtherAddress, type S3Address, type ServiceName } from './address.ts';
export type { BodyKind, Codec, OutputExtras } from './codec.ts';
export { encodeError, encodeErrorDocument, internalError, notImplemented, type ErrorContext } from './errors.ts';
export { percentDecode, urlEncodeKey } from './percent.ts';
export type { RestXmlCodec } from './rest-xml.ts';
export { loadedService, openService, type WireService } from './services.ts';
export type * from './shapes.ts';
export { escapeXml, XML_DECLARATION } from './xml-encode.ts';
