/** What distinguishes an answer of the gateway from that of another service. The rest of it is as the document says. */
import { isObject } from './errors.js';

export type Shape = (value: unknown) => boolean;

export const isUser: Shape = (value) => isObject(value) && typeof value['username'] === 'string';

export const isOperation: Shape = (value) =>
  isObject(value) && typeof value['id'] === 'string' && value['id'] !== '' && isObject(value['progress']);

export const isBatchResult: Shape = (value) => isObject(value) && Array.isArray(value['results']) && isObject(value['summary']);

export const isClusterList: Shape = (value) =>
  isObject(value) && Array.isArray(value['items']) && Array.isArray(value['problems']);

export const pageOf =
  (isItem: Shape): Shape =>
  (value) => {
    if (!isObject(value)) return false;
    const { items, nextCursor } = value;
    return Array.isArray(items) && items.every(isItem) && (nextCursor === null || typeof nextCursor === 'string');
  };
