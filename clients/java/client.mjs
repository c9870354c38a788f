/** The Java client: what generates, compiles and runs it. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openapiGenerator } from '../lib/openapi-generator.mjs';
import { CLIENTS, GENERATED } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';

const FOLDER = `${GENERATED}java`;
const SOURCES = `${FOLDER}/src/main/java`;
const CLASSES = `${FOLDER}/classes`;
const JARS = '/usr/share/java';
const CLASS_PATH = ['jackson-core', 'jackson-databind', 'jackson-annotations', 'jsr305'].map((name) => `${JARS}/${name}.jar`);

const sourcesIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.java'))
    .map((name) => join(folder, name));

export const java = {
  name: 'java',
  language: 'Java',
  generator: 'openapi-generator 4.3.1 java (native)',
  folder: SOURCES,
  extension: '.java',
  needs: {
    'default-jdk-headless': '/usr/bin/javac',
    'libjackson2-annotations-java': `${JARS}/jackson-annotations.jar`,
    'libjackson2-core-java': `${JARS}/jackson-core.jar`,
    'libjackson2-databind-java': `${JARS}/jackson-databind.jar`,
    'libjsr305-java': `${JARS}/jsr305.jar`,
  },
  generate: () =>
    openapiGenerator('java', FOLDER, {
      library: 'native',
      dateLibrary: 'java8',
      invokerPackage: 'org.example.hpc',
      apiPackage: 'org.example.hpc.api',
      modelPackage: 'org.example.hpc.model',
    }),
  compile: () => {
    mkdirSync(CLASSES, { recursive: true });
    const sources = [...sourcesIn(`${CLIENTS}java`), ...sourcesIn(SOURCES)];
    return run('javac', ['-nowarn', '-proc:none', '-encoding', 'UTF-8', '-d', CLASSES, '-cp', CLASS_PATH.join(':'), ...sources]);
  },
  run: (url) => run('java', ['-cp', [CLASSES, ...CLASS_PATH].join(':'), 'Consumer', url]),
};
