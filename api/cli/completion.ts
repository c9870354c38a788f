/** Scripts that complete commands and options, made from the tree of commands. */
import type { Command, Option } from 'commander';

interface Place {
  /** The words that lead here: `users list`. */
  readonly path: string;
  readonly commands: readonly string[];
  readonly options: readonly Option[];
  /** Of the arguments, where only some are taken. */
  readonly values: readonly string[];
  readonly takesFile: boolean;
}

const isFile = (flags: string): boolean => /<(file|folder)>/.test(flags);

const optionsOf = (command: Command): Option[] => [...command.createHelp().visibleOptions(command)];

const placesOf = (command: Command, path: string): Place[] => {
  const { registeredArguments: args } = command;
  const place: Place = {
    path,
    commands: command.commands.map((child) => child.name()),
    options: optionsOf(command),
    values: args.flatMap(({ argChoices }) => argChoices ?? []),
    takesFile: args.some((argument) => /^(file|folder)$/.test(argument.name())),
  };
  return [place, ...command.commands.flatMap((child) => placesOf(child, `${path} ${child.name()}`.trim()))];
};

const longOf = ({ long, short }: Option): string => long ?? short ?? '';

const wordsOf = ({ commands, options, values }: Place): string => [...commands, ...values, ...options.map(longOf)].join(' ');

/** What may follow an option that takes a value: by place, since options of one name may take different ones. */
const valuesOf = ({ options }: Place): Option[] => options.filter((option) => option.required);

const bashCase = (place: Place): string => {
  const { path, takesFile } = place;
  const cases = valuesOf(place).map((option) => {
    const flags = [option.short, option.long].filter(Boolean).join('|');
    const reply = option.argChoices
      ? `COMPREPLY=($(compgen -W '${option.argChoices.join(' ')}' -- "$cur"))`
      : isFile(option.flags)
        ? 'COMPREPLY=($(compgen -f -- "$cur"))'
        : 'COMPREPLY=()';
    return `        ${flags}) ${reply}; return ;;`;
  });
  const follow = cases.length === 0 ? '' : `      case "$prev" in\n${cases.join('\n')}\n      esac\n`;
  const files = takesFile ? `\n      [[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- "$cur"))` : '';
  return `    '${path}')\n${follow}      COMPREPLY=($(compgen -W '${wordsOf(place)}' -- "$cur"))${files} ;;`;
};

const bash = (places: readonly Place[], name: string): string => `_hpc_gateway() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${places
        .filter(({ path }) => path !== '')
        .map(({ path }) => `'${path}'`)
        .join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${places.map(bashCase).join('\n')}
  esac
}
complete -o filenames -F _hpc_gateway ${name}
`;

/** zsh runs completions of bash. */
const zsh = (places: readonly Place[], name: string): string => `#compdef ${name}
autoload -U +X compinit bashcompinit
whence compdef > /dev/null || compinit
bashcompinit
${bash(places, name)}`;

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;

const fishLines = (place: Place, name: string, command: Command): string[] => {
  const steps = place.path.split(' ').filter(Boolean);
  const at = [
    ...steps.map((step) => `__fish_seen_subcommand_from ${step}`),
    ...(place.commands.length > 0 ? [`not __fish_seen_subcommand_from ${place.commands.join(' ')}`] : []),
  ].join('; and ');
  const line = (rest: string): string => `complete -c ${name}${at ? ` -n ${quoted(at)}` : ''} ${rest}`;
  const found = steps.reduce<Command>((node, step) => node.commands.find((child) => child.name() === step) ?? node, command);
  return [
    ...found.commands.map((child) => line(`-a ${child.name()} -d ${quoted(child.description())}`)),
    ...(place.values.length > 0 ? [line(`-a ${quoted(place.values.join(' '))}`)] : []),
    ...(place.takesFile ? [line('-F')] : []),
    ...place.options.map((option) => {
      const short = option.short ? ` -s ${option.short.slice(1)}` : '';
      const values = option.argChoices
        ? ` -x -a ${quoted(option.argChoices.join(' '))}`
        : isFile(option.flags)
          ? ' -r -F'
          : option.required
            ? ' -x'
            : '';
      return line(`-l ${longOf(option).slice(2)}${short}${values} -d ${quoted(option.description)}`);
    }),
  ];
};

/** @param shell bash, zsh or fish */
export const completionFor = (shell: string, program: Command): string => {
  const places = placesOf(program, '');
  const name = program.name();
  if (shell === 'bash') return bash(places, name);
  if (shell === 'zsh') return zsh(places, name);
  return [`complete -c ${name} -f`, ...places.flatMap((place) => fishLines(place, name, program)), ''].join('\n');
};
