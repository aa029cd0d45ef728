import type { CliCommand } from "./command.ts";

/** The shells that completion scripts exist for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command by the words that lead to it, `["image", "push"]`. */
export interface CompletedCommand {
  readonly path: readonly string[];
  readonly command: CliCommand;
}

/** What can be completed: commands, and what groups of them are about, by name. */
export interface CompletedProgram {
  readonly commands: readonly CompletedCommand[];
  readonly groups: Readonly<Record<string, string>>;
}

interface CompletedOption {
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** The completion script of `cooper` and `devcontainer` for a shell, from the commands' own definitions. */
export function renderCompletion(shell: Shell, program: CompletedProgram): string {
  switch (shell) {
    case "bash":
      return renderBash(program);
    case "zsh":
      return renderZsh(program);
    case "fish":
      return renderFish(program);
    case "powershell":
      return renderPowershell(program);
  }
}

function optionsOf({ command }: CompletedCommand): CompletedOption[] {
  return Object.entries(command.flags)
    .filter(([, flag]) => flag.hidden !== true)
    .map(([name, flag]) => ({
      name: `--${name}`,
      description: flag.description,
      takesValue: flag.type !== "boolean",
      choices: flag.choices ?? [],
    }));
}

function wordsOf({ command }: CompletedCommand): readonly string[] {
  return command.wordChoices ?? [];
}

/** What may come first: commands that stand alone, and groups. */
function firstWords({ commands, groups }: CompletedProgram): { name: string; description: string }[] {
  const alone = commands.filter(({ path }) => path.length === 1);
  return [
    ...alone.map(({ command, path }) => ({ name: path.join(" "), description: command.description })),
    ...Object.entries(groups).map(([name, description]) => ({ name, description })),
  ];
}

function secondWords({ commands }: CompletedProgram, group: string): { name: string; description: string }[] {
  return commands
    .filter(({ path }) => path.length > 1 && path[0] === group)
    .map(({ command, path }) => ({ name: path[1] ?? "", description: command.description }));
}

function renderBash(program: CompletedProgram): string {
  const { commands, groups } = program;
  const names = (words: readonly { name: string }[]) => words.map(({ name }) => name).join(" ");
  const options = uniqueOptions(commands);
  const choices = options
    .filter((option) => option.choices.length > 0)
    .map(
      ({ name, choices }) => `    ${name}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); return ;;`,
    );
  const paths = options.filter((option) => option.takesValue && option.choices.length === 0);
  return `# bash completion for cooper: source it, or save it as a file in bash-completion's directory.
_cooper() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} options="" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names(firstWords(program))} --help --version" -- "$current"))
    return
  fi
  case $command in
${Object.keys(groups)
  .map(
    (group) => `    ${group})
      command="$command \${COMP_WORDS[2]}"
      if [ "$COMP_CWORD" -eq 2 ]; then
        COMPREPLY=($(compgen -W "${names(secondWords(program, group))} --help" -- "$current"))
        return
      fi ;;`,
  )
  .join("\n")}
  esac
  case $previous in
${choices.join("\n")}
    ${paths.map(({ name }) => name).join("|")}) compopt -o default; return ;;
  esac
  case $command in
${commands.map((one) => `    "${one.path.join(" ")}") words="${wordsOf(one).join(" ")}" options="${names(optionsOf(one))} --help" ;;`).join("\n")}
  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    "") compopt -o default; COMPREPLY=($(compgen -W "$words $options")) ;;
    *) compopt -o default; COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _cooper cooper devcontainer
`;
}

function renderZsh(program: CompletedProgram): string {
  const { commands, groups } = program;
  const described = (words: readonly { name: string; description: string }[]) =>
    words.map(({ name, description }) => quoteShellWord(`${name}:${description}`)).join(" ");
  const cases = commands.map((one) => {
    const specs = optionsOf(one).map((option) => {
      const files = option.takesValue ? ":value:_files" : "";
      const value = option.choices.length > 0 ? `:value:(${option.choices.join(" ")})` : files;
      return quoteShellWord(`*${option.name}[${option.description.replace(/[[\]:]/g, " ")}]${value}`);
    });
    const rest = wordsOf(one).length > 0 ? `*:word:(${wordsOf(one).join(" ")})` : "*:file:_files";
    return `    ${quoteShellWord(one.path.join(" "))}) _arguments ${specs.join(" ")} '${rest}' ;;`;
  });
  return `#compdef cooper devcontainer
_cooper() {
  local -a candidates
  local command=$words[2]
  if (( CURRENT == 2 )); then
    candidates=(${described(firstWords(program))})
    _describe command candidates
    return
  fi
  shift words; (( CURRENT-- ))
  case $command in
${Object.keys(groups)
  .map(
    (group) => `    ${group})
      if (( CURRENT == 2 )); then
        candidates=(${described(secondWords(program, group))})
        _describe command candidates
        return
      fi
      command="$command $words[2]"
      shift words; (( CURRENT-- )) ;;`,
  )
  .join("\n")}
  esac
  case $command in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = _cooper ]; then _cooper "$@"; else compdef _cooper cooper devcontainer; fi
`;
}

function renderFish(program: CompletedProgram): string {
  const lines = ["cooper", "devcontainer"].flatMap((name) => [
    `complete -c ${name} -f`,
    ...firstWords(program).map((word) => fishWord(name, "__fish_use_subcommand", word)),
    ...Object.keys(program.groups).flatMap((group) => {
      const words = secondWords(program, group);
      const none = words.map((word) => word.name).join(" ");
      const condition = `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${none}`;
      return words.map((word) => fishWord(name, condition, word));
    }),
    ...program.commands.flatMap((one) => {
      const condition = one.path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
      const words = wordsOf(one).map((word) => `complete -c ${name} -n ${quoteFish(condition)} -a ${quoteFish(word)}`);
      const options = optionsOf(one).map((option) => {
        const files = option.takesValue ? " -r -F" : "";
        const value = option.choices.length > 0 ? ` -x -a ${quoteFish(option.choices.join(" "))}` : files;
        return `complete -c ${name} -n ${quoteFish(condition)} -l ${option.name.slice(2)} -d ${quoteFish(option.description)}${value}`;
      });
      return [...words, ...options];
    }),
  ]);
  return `${lines.join("\n")}\n`;
}

function fishWord(program: string, condition: string, word: { name: string; description: string }): string {
  return `complete -c ${program} -n ${quoteFish(condition)} -a ${word.name} -d ${quoteFish(word.description)}`;
}

function renderPowershell(program: CompletedProgram): string {
  const list = (words: readonly string[]) => `@(${words.map(quotePowershell).join(", ")})`;
  const table = [
    `    '' = ${list(firstWords(program).map(({ name }) => name))}`,
    ...Object.keys(program.groups).map(
      (group) => `    ${quotePowershell(group)} = ${list(secondWords(program, group).map(({ name }) => name))}`,
    ),
    ...program.commands.map(
      (one) =>
        `    ${quotePowershell(one.path.join(" "))} = ${list([...wordsOf(one), ...optionsOf(one).map(({ name }) => name)])}`,
    ),
  ];
  return `Register-ArgumentCompleter -Native -CommandName cooper, devcontainer -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $candidates = @{
${table.join("\n")}
  }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -and $words.Count -gt 0) { $words = @($words | Select-Object -SkipLast 1) }
  $words = @($words | Where-Object { -not $_.StartsWith('-') })
  $key = ($words | Select-Object -First 2) -join ' '
  if (-not $candidates.ContainsKey($key)) { $key = ($words | Select-Object -First 1) -join ' ' }
  $candidates[$key] | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}

function uniqueOptions(commands: readonly CompletedCommand[]): CompletedOption[] {
  return [...new Map(commands.flatMap(optionsOf).map((option) => [option.name, option])).values()];
}

function quoteShellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function quotePowershell(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
