/** The part of the package that is used; it has no types of its own. */
declare module 'fs-native-extensions' {
  /** Takes an exclusive lock on the open file, which the operating system releases when the process ends. False where another has it. */
  export const tryLock: (fd: number) => boolean;
}
