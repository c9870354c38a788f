/** What Node's parser lets through or refuses without a body, and no caller of a REST API needs. */
import type { RequestHandler } from 'express';
import { GatewayError } from '../../../src/errors.js';
import { refuse } from '../validation.js';

/** The only expectation there is (RFC 9110, section 10.1.1). Node answers it by itself. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

/** @throws invalid_request */
export const checkProtocol: RequestHandler = ({ headers, httpVersion, httpVersionMajor }, _, next) => {
  if (httpVersionMajor !== 1) throw new GatewayError('invalid_request', 'The request is not valid HTTP/1.1.');
  if (headers.host === undefined && httpVersion === '1.1') refuse('is missing', '/header/Host');
  if (headers.expect !== undefined && !CONTINUE.test(headers.expect)) refuse('must be 100-continue', '/header/Expect');
  next();
};
