/** Every vendor, by hand; a test compares this list with the folders. */
import type { AdapterModule } from '../src/adapter.js';
import { alibabaEhpc } from './alibaba-ehpc/index.js';
import { memory } from './memory/index.js';
import { shanheHpc } from './shanhe-hpc/index.js';

/** Configurations are checked by each module's own schema before its `create` sees them, so the type can be left open here. */
const anyConfig = <Config>(module: AdapterModule<Config>): AdapterModule => module as AdapterModule;

export const adapters: Readonly<Record<string, AdapterModule>> = Object.fromEntries(
  [anyConfig(alibabaEhpc), anyConfig(shanheHpc), anyConfig(memory)].map((module) => [module.vendor, module]),
);
