#!/usr/bin/env node
/** The program: without arguments it serves. What else it can do is loaded when it is asked for. */
const args = process.argv.slice(2);

if (args.length === 0) {
  const { serve } = await import('./serve.js');
  await serve();
} else {
  const { runCommand } = await import('./cli/main.js');
  await runCommand(args);
}
