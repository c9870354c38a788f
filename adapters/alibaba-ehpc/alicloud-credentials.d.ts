/** The part of the optional package that is used. Declared here, so that the project compiles without the package. */
declare module '@alicloud/credentials' {
  /** What the package exports, as Node gives it for a CommonJS module. */
  const exported: unknown;
  // biome-ignore lint/style/noDefaultExport: it is the package's own form
  export default exported;
}
