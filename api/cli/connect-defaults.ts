/** Where a gateway listens by default. */
export const DEFAULT_URL = 'http://127.0.0.1:8080';
