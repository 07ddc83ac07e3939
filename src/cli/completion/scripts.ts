/**
 * The scripts that make a shell ask the command at each Tab. They hand over the words of the line as they are and evaluate nothing
 * in them. The command is called as it stands in the line, since another one of this name may come first on the PATH.
 */
import type { Shell } from "./words.ts";

export function scriptFor(shell: Shell, name: string): string {
  return SCRIPTS[shell](name, `_${name.replaceAll("-", "_")}_completion`);
}

const SCRIPTS: Readonly<Record<Shell, (name: string, own: string) => string>> = {
  // For bash 3.2 (macOS) and newer: the older ones have neither mapfile nor compopt.
  bash: (name, own) => `# bash completion for ${name}
${own}() {
  local line paths=:none
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) paths=$line ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <("$1" complete bash "$COMP_CWORD" -- "$2" "\${COMP_WORDS[@]}" 2>/dev/null)
  case $paths in
    :files) line=-f ;;
    :folders) line=-d ;;
    *) return 0 ;;
  esac
  compopt -o filenames 2>/dev/null
  while IFS= read -r paths; do COMPREPLY+=("$paths"); done < <(compgen "$line" -- "$2")
}
complete -F ${own} ${name}`,

  zsh: (name, own) => `#compdef ${name}
# zsh completion for ${name}
${own}() {
  local line paths=:none
  local -a values
  for line in "\${(@f)$("\${(Q)words[1]}" complete zsh $((CURRENT - 1)) -- "\${(Q)words[CURRENT]}" "\${(@Q)words}" 2>/dev/null)}"; do
    case $line in
      (:*) paths=$line ;;
      (?*) values+=("$line") ;;
    esac
  done
  (( $#values )) && _describe -V ${name} values
  if [[ $paths == :none ]]; then
    return $(( $#values == 0 ))
  fi
  [[ $PREFIX == --*=* ]] && compset -P '*='
  if [[ $paths == :files ]]; then _files; else _files -/; fi
}
if [[ "$funcstack[1]" == "_${name}" ]]; then
  ${own} "$@"
else
  compdef ${own} ${name}
fi`,

  fish: (name, own) => `# fish completion for ${name}
function _${own}
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l paths :none
    for line in ($words[1] complete fish (count $words) -- "$current" $words "$current" 2>/dev/null)
        if string match -q ':*' -- $line
            set paths $line
        else
            echo $line
        end
    end
    set -l option (string match -r -- '^--[^=]*=' $current; or echo)
    set -l begun (string replace -r -- '^--[^=]*=' '' $current)
    switch $paths
        case :files
            for path in (__fish_complete_path $begun)
                echo $option$path
            end
        case :folders
            for path in (__fish_complete_directories $begun)
                echo $option$path
            end
    end
end
complete -c ${name} -f -a '(_${own})'`,
};
