import type { Caller } from './caller.js';

/** Whom a credential names, or why it names nobody; the reason holds nothing of the credential. */
export type Verified = { readonly caller: Caller } | { readonly refusal: string };
