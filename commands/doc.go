// Package commands is what can be typed: one file a command, and what they share.
//
//   - program.go: Run, from arguments to an exit code; how a command is described
//   - help.go: the help texts
//   - flags.go: the flags that all or several commands have, before or after the
//     command's name (the later one wins), and the refusal of flags after a script
//   - connect.go, settings.go: from flags and ETCDCTL_* variables to a connected client
//   - exit.go: exit codes, and which error ends with which
//   - report.go: how an error reads on standard error
//   - logging.go: --log-level and --log-format
//
// Nothing here ends the process or looks at its real streams and environment: Run gets
// them as [Streams] and returns the code. A command returns an error; Run reports it.
package commands
