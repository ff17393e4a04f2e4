package commands

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

func (p *program) etcdCommand() *command {
	return &command{
		name: "etcd", args: "", short: "Runs the embedded etcd in the foreground, for trying things beside etcdctl.",
		long: `
One member, on the loopback interface only, without authentication. Without
--data-dir its data is thrown away when it stops. Ctrl-C stops it.`,
		examples: []string{"etcdlua etcd", "etcdlua etcd --listen 127.0.0.1:12379 --data-dir ./data"},
		flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:2379", Usage: "`ADDRESS` to listen on (default 127.0.0.1:2379); port 0 takes a free one"},
			&cli.StringFlag{Name: "data-dir", Usage: "`FOLDER` to keep the data in"},
		},
		exits: []int{exitDone, exitRaised, exitUsage, exitNoEtcd, 130, 143},
		run:   (*call).etcd,
	}
}

func (c *call) etcd() (err error) {
	if len(c.args) > 0 {
		return usageErrorf("etcd takes no arguments, but %q is given", c.args[0]).withHint("did you mean etcdctl %s?", c.args[0])
	}
	if c.flags.IsSet("data-dir") && c.flags.String("data-dir") == "" {
		return usageErrorf("--data-dir is empty").withHint("leave it out for data that is thrown away")
	}
	if c.flags.String("listen") == "" {
		return usageErrorf("--listen is empty").withHint("leave it out for 127.0.0.1:2379; 127.0.0.1:0 takes a free port")
	}
	server, err := c.startServer(c.ctx, embeddedOptions{listen: c.flags.String("listen"), dataDir: c.flags.String("data-dir"), logger: c.log})
	if err != nil {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		return err
	}
	defer func() {
		if closeErr := server.close(); err == nil || closeErr != nil {
			err = closeErr
		}
	}()
	data := "is thrown away when it stops"
	if dir := c.flags.String("data-dir"); dir != "" {
		data = "is kept in " + dir
	}
	if _, err := fmt.Fprintf(c.streams.Out, `etcd is ready on %s (its data %s)
try: etcdctl --endpoints=%[1]s get --prefix ""
     etcdlua run --endpoints %[1]s FILE
`, server.endpoint, data); err != nil {
		return err
	}
	select {
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	case err := <-server.died:
		return &codedError{code: exitNoEtcd, err: err}
	}
}
