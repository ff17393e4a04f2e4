// Command etcdlua runs Lua scripts against etcd. See README.md, and etcdlua --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	_ "time/tzdata" // zones for time and task.cron, where the machine has none

	"etcdlua/commands"
	"etcdlua/internal/startup"
)

func main() {
	startup.TuneGC(os.LookupEnv)
	var left leftovers
	ctx, stop := signalContext(context.Background(), left.remove)
	streams := commands.ProcessStreams()
	streams.AtAbort = left.add
	code := commands.Run(ctx, os.Args[1:], streams)
	stop()
	os.Exit(code)
}

// signalContext makes a context that ends with the first signal that asks the program
// to end, with the signal as its cause. A second
// SIGINT or SIGTERM ends the process at once.
// The last word before that is atAbort's.
func signalContext(parent context.Context, atAbort func()) (ctx context.Context, stop func()) {
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
		atAbort()
		os.Exit(second.ExitCode())
	}()
	return ctx, func() { cancel(nil) }
}

// leftovers are what must not stay behind when a second signal ends the process.
type leftovers struct {
	mu   sync.Mutex
	list map[*func()]struct{}
}

func (l *leftovers) add(remove func()) (forget func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list == nil {
		l.list = map[*func()]struct{}{}
	}
	key := &remove
	l.list[key] = struct{}{}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.list, key)
	}
}

func (l *leftovers) remove() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.list {
		(*f)()
	}
}
