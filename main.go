// Command etcdlua runs Lua scripts against etcd. See README.md, and etcdlua --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones for time and task.cron, where the machine has none

	"etcdlua/commands"
	"etcdlua/internal/startup"
)

func main() {
	startup.TuneGC(os.LookupEnv)
	ctx, stop := signalContext(context.Background())
	code := commands.Run(ctx, os.Args[1:], commands.ProcessStreams())
	stop()
	os.Exit(code)
}

// signalContext makes a context that ends with the first signal that asks the program
// to end, with the signal as its cause. A second
// SIGINT or SIGTERM ends the process at once.
func signalContext(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	endc := make(chan os.Signal, 2)
	signal.Notify(endc, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signal.Notify(endc, syscall.SIGHUP)
	}
	// A write to a closed pipe is then an error like others, and cleanup runs. Ignoring
	// the signal instead would be inherited by the commands that a script runs.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		first := &commands.Interrupted{Signal: <-endc}
		cancel(first)
		second := &commands.Interrupted{Signal: <-endc}
		for second.Signal == syscall.SIGHUP { // a terminal that is closed sends it twice: itself, and by its shell
			second.Signal = <-endc
		}
		os.Exit(second.ExitCode())
	}()
	return ctx, func() { cancel(nil) }
}
