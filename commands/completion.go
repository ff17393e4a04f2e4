package commands

import (
	"io"
	"strings"

	"etcdlua/runtime"
)

func (p *program) completionCommand() *command {
	return &command{
		name: "completion", args: "bash|zsh|fish", short: "Prints the completion script of a shell.",
		examples: []string{
			"source <(etcdlua completion bash)   # in ~/.bashrc",
			"source <(etcdlua completion zsh)    # in ~/.zshrc, after compinit",
			"etcdlua completion fish | source    # in ~/.config/fish/config.fish",
		},
		exits:    []int{exitDone, exitUsage},
		complete: func() []string { return shells },
		run:      (*call).completion,
	}
}

var shells = []string{"bash", "zsh", "fish"}

func (c *call) completion() error {
	if len(c.args) != 1 {
		return usageErrorf("completion needs the name of a shell").withHint("etcdlua completion bash, zsh or fish")
	}
	text := ""
	switch c.args[0] {
	case "bash":
		text = bashCompletion
	case "zsh":
		text = zshCompletion
	case "fish":
		var err error
		if text, err = c.flags.App.ToFishCompletion(); err != nil {
			return err
		}
		text = strings.ReplaceAll(text, "`", "") // of the flags' usage
	default:
		e := usageErrorf("there is no completion for %q", c.args[0])
		if near := runtime.Nearest(c.args[0], shells); near != "" {
			return e.withHint("did you mean %s?", near)
		}
		return e.withHint("shells: bash, zsh, fish")
	}
	_, err := io.WriteString(c.streams.Out, text)
	return err
}

// The program is asked with the words before the cursor, and the one at the cursor when
// it begins a flag. Nothing of the line is evaluated. Where it has no answer the shell
// completes file names.
const bashCompletion = `_etcdlua() {
  local cur="${COMP_WORDS[COMP_CWORD]}" line=("${COMP_WORDS[@]:0:COMP_CWORD}")
  [[ "$cur" == -* ]] && line+=("$cur")
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${line[@]}" ` + completeFlag + ` 2>/dev/null)" -- "$cur"))
}
complete -o bashdefault -o default -F _etcdlua etcdlua
`

const zshCompletion = `#compdef etcdlua
_etcdlua() {
  local -a line opts
  line=("${(@)words[1,CURRENT-1]}")
  [[ "${words[CURRENT]}" == -* ]] && line+=("${words[CURRENT]}")
  opts=("${(@f)$("${line[@]}" ` + completeFlag + ` 2>/dev/null)}")
  if [[ -n "${opts[1]}" ]]; then compadd -a opts; else _files; fi
}
compdef _etcdlua etcdlua
`
