/** The C# client: what generates, compiles and runs it. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { openapiGenerator } from '../lib/openapi-generator.mjs';
import { CLIENTS, GENERATED } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';

const FOLDER = `${GENERATED}csharp`;
const SOURCES = `${FOLDER}/src/HpcGateway`;
const OUT = `${FOLDER}/out`;
const MONO = '/usr/lib/mono/4.5';
const NEWTONSOFT = '/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll';
const REFERENCES = ['System.ComponentModel.DataAnnotations', 'System.Runtime.Serialization', 'Microsoft.CSharp'];

export const csharp = {
  name: 'csharp',
  language: 'C#',
  generator: 'openapi-generator 4.3.1 csharp (v4.5)',
  folder: SOURCES,
  extension: '.cs',
  needs: {
    'default-jdk-headless': '/usr/bin/java',
    'libmono-microsoft-csharp4.0-cil': `${MONO}/Microsoft.CSharp.dll`,
    'libmono-system-componentmodel-dataannotations4.0-cil': `${MONO}/System.ComponentModel.DataAnnotations.dll`,
    'libmono-system-runtime-serialization4.0-cil': `${MONO}/System.Runtime.Serialization.dll`,
    'libnewtonsoft-json-cil-dev': NEWTONSOFT,
    'mono-mcs': '/usr/bin/mcs',
    'mono-runtime': '/usr/bin/mono',
  },
  generate: () => openapiGenerator('csharp', FOLDER, { packageName: 'HpcGateway', targetFramework: 'v4.5' }),
  compile: async () => {
    mkdirSync(OUT, { recursive: true });
    copyFileSync(NEWTONSOFT, `${OUT}/Newtonsoft.Json.dll`);
    const references = [`${OUT}/Newtonsoft.Json.dll`, ...REFERENCES.map((name) => `${name}.dll`)].join(',');
    const sources = [`${CLIENTS}csharp/Consumer.cs`, `${CLIENTS}csharp/support/RestSharp.cs`, `-recurse:${SOURCES}/*.cs`];
    await run('mcs', ['-sdk:4.5', '-warn:0', `-out:${OUT}/Consumer.exe`, `-r:${references}`, ...sources]);
  },
  run: (url) => run('mono', [`${OUT}/Consumer.exe`, url]),
};
