/** Where things are. */
import { fileURLToPath } from 'node:url';

export const CLIENTS = fileURLToPath(new URL('..', import.meta.url));
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** All that is generated and compiled; not in the repository. */
export const GENERATED = `${CLIENTS}generated/`;
/** The document, as the gateway serves it. */
export const DOCUMENT = `${GENERATED}openapi.json`;
/** Its twin for generators that know OpenAPI 3.0 only. */
export const DOCUMENT_30 = `${GENERATED}openapi-3.0.json`;

/** A program that a package of npm brings. */
export const bin = (name) => `${CLIENTS}node_modules/.bin/${name}`;
