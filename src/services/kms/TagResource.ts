/** TagResource, UntagResource, ListResourceTags. Source: contract kms-iam-audit.md 2.10. */
import type { ListResourceTagsRequest, ListResourceTagsResponse, TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-kms';
import { keyTags, tagKey, untagKey } from '../../keyring/index.ts';
import { constrainKeyId, constrainPage, constrainTags, pageOf, pageStart } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const listTagsLimitMax = 50;

export const TagResource: KmsOperation<TagResourceRequest, void> = {
  name: 'TagResource',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    check.required('tags', input.Tags);
    constrainTags(check, input.Tags);
  },
  handle: (keys, input, caller) =>
    tagKey(keys, caller, input.KeyId!, input.Tags!.map(({ TagKey, TagValue }) => ({ TagKey: TagKey!, TagValue: TagValue! }))),
};

export const UntagResource: KmsOperation<UntagResourceRequest, void> = {
  name: 'UntagResource',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    check.required('tagKeys', input.TagKeys);
    input.TagKeys?.forEach((key, index) => check.text(`tagKeys.${index + 1}.member`, key, { min: 1, max: 128 }));
  },
  handle: (keys, input, caller) => untagKey(keys, caller, input.KeyId!, input.TagKeys!),
};

export const ListResourceTags: KmsOperation<ListResourceTagsRequest, ListResourceTagsResponse> = {
  name: 'ListResourceTags',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    constrainPage(check, input, listTagsLimitMax, listOf(input));
  },
  handle: async (keys, input, caller) => {
    const list = listOf(input);
    const after = pageStart(list, input);
    const tags = await keyTags(keys, caller, input.KeyId!);
    const found = tags.slice(after === '' ? 0 : tags.findIndex(({ TagKey }) => TagKey === after) + 1);
    const { page, rest } = pageOf(list, found, input.Limit ?? listTagsLimitMax, ({ TagKey }) => TagKey);
    return { Tags: page, ...rest };
  },
};

function listOf({ KeyId }: ListResourceTagsRequest): string {
  return `tags ${KeyId}`;
}
