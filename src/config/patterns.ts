/** Of clusters, whose ids stand in URLs as they are, of accounts and of callers. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

/** A field name of HTTP (RFC 9110, section 5.1). */
export const HEADER_PATTERN = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$";
