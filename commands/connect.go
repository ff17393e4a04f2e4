package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"etcdlua/etcdapi"
)

// connection is an open client, and the embedded server when there is one.
type connection struct {
	client *etcdapi.Client
	server *embeddedServer
}

// close closes the client, then the server: the other way round the server would wait
// for the client. It returns what stays behind.
func (c *connection) close() error {
	err := c.client.Close()
	if c.server != nil {
		if serverErr := c.server.close(); serverErr != nil {
			return serverErr
		}
	}
	return err
}

// target is where a command is to connect to.
type target struct {
	config   etcdapi.Config
	embedded bool
	said     bool // the user named an endpoint, or asked for --embedded
	settings []said
}

// target finds out where to connect to, and refuses what contradicts itself.
func (c *call) target() (target, error) {
	list, err := c.resolve(c.flags)
	if err != nil {
		return target{}, err
	}
	config, err := config(list)
	if err != nil {
		return target{}, err
	}
	t := target{config: config, settings: list, said: len(config.Endpoints) > 0 || config.DiscoverySRV != ""}
	if textFlag(c.flags, "embedded") != "true" {
		t.embedded = !t.said
		return t, nil
	}
	for _, s := range list {
		if (s.name == "endpoints" || s.name == "discovery-srv" || isCredential(s.name)) && strings.HasPrefix(s.source, "--") {
			return target{}, usageErrorf("--embedded and %s exclude each other", s.source)
		}
	}
	t.embedded, t.said = true, true
	return t, nil
}

// isCredential tells the settings that say who connects, or whom to trust: they have no
// meaning for the embedded etcd.
func isCredential(name string) bool {
	switch name {
	case "cacert", "cert", "key", "user", "password", "password-file", "auth-jwt-token":
		return true
	}
	return false
}

// waysToSay are the three ways to name the etcd.
const waysToSay = "give --endpoints HOST:PORT, set ETCDCTL_ENDPOINTS, or ask for a throw-away etcd with --embedded"

// connect opens the client that the flags and variables ask for. Without any endpoint
// it starts a throw-away etcd, and says so; but not for a runbook, which must never run
// on an empty store because a variable was lost, nor when credentials were given.
func (c *call) connect(ctx context.Context, runbook string) (*connection, error) {
	t, err := c.target()
	if err != nil {
		return nil, err
	}
	t.config.Logger = c.log
	if t.embedded {
		note, err := c.mayEmbed(t, runbook)
		if err != nil {
			return nil, err
		}
		return c.connectEmbedded(ctx, t, note)
	}
	if err := c.askPassword(&t.config); err != nil {
		return nil, err
	}
	client, err := etcdapi.Open(ctx, t.config)
	if err != nil {
		return nil, connectError(ctx, err)
	}
	return &connection{client: client}, nil
}

// mayEmbed refuses the throw-away etcd where it cannot have been meant. The note is
// what to tell when it is used and nobody asked for it.
func (c *call) mayEmbed(t target, runbook string) (note string, err error) {
	if t.said {
		return "", nil
	}
	lost := ""
	for _, s := range c.strangers() {
		if s[1] == "endpoints" {
			lost = fmt.Sprintf(" (%s is set, but the variable is ETCDCTL_ENDPOINTS)", s[0])
		}
	}
	if runbook != "" {
		return "", (&codedError{code: exitNoEtcd, text: fmt.Sprintf("%s is a runbook, and no endpoint is given%s", runbook, lost)}).
			withHint(waysToSay)
	}
	for _, s := range t.settings {
		if isCredential(s.name) && !s.isDefault() {
			return "", (&codedError{code: exitNoEtcd, text: fmt.Sprintf("%s is given, but no endpoint%s", s.source, lost)}).
				withHint(waysToSay)
		}
	}
	return fmt.Sprintf("etcdlua: no endpoint is given, so this runs on a throw-away etcd%s\n", lost), nil
}

// startServer starts an embedded server whose throw-away folder goes even when nobody
// comes to close it.
func (c *call) startServer(ctx context.Context, o embeddedOptions) (*embeddedServer, error) {
	server, err := startEmbedded(ctx, o)
	if err != nil || o.dataDir != "" || c.streams.AtAbort == nil {
		return server, err
	}
	forget := c.streams.AtAbort(func() { _ = os.RemoveAll(server.dataDir) })
	stop := server.close
	server.close = func() error {
		defer forget()
		return stop()
	}
	return server, nil
}

func (c *call) connectEmbedded(ctx context.Context, t target, note string) (*connection, error) {
	server, err := c.startServer(ctx, embeddedOptions{logger: c.log})
	if err != nil {
		return nil, connectError(ctx, err)
	}
	_, _ = io.WriteString(c.streams.Err, note)
	config := etcdapi.Config{
		Endpoints: []string{server.endpoint}, InsecureTransport: true, Logger: c.log,
		CommandTimeout: t.config.CommandTimeout, DialTimeout: t.config.DialTimeout,
		MaxRequestBytes: t.config.MaxRequestBytes, MaxTxnOps: t.config.MaxTxnOps, MaxCallRecvBytes: t.config.MaxCallRecvBytes,
	}
	client, err := etcdapi.Open(ctx, config)
	if err != nil {
		_ = server.close() // the first error is the one to tell
		return nil, connectError(ctx, err)
	}
	return &connection{client: client, server: server}, nil
}

// connectError is why there is no connection. A failure before the script runs is
// never the script's.
func connectError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if coded := (*codedError)(nil); errors.As(err, &coded) {
		return err
	}
	code := exitCodes[errorCode(err)]
	switch errorCode(err) {
	case string(etcdapi.CodeInvalidArgument), string(etcdapi.CodeIO):
		code = exitUsage
	case string(etcdapi.CodeTimeout):
		code = exitNoEtcd
	}
	if code == 0 {
		code = exitNoEtcd
	}
	return &codedError{code: code, err: err}
}

// askPassword asks for the password of a user who has none, where there is somebody to ask.
func (c *call) askPassword(config *etcdapi.Config) error {
	if config.User == "" || strings.Contains(config.User, ":") || config.Password != "" || config.PasswordFile != "" || c.streams.AskPassword == nil {
		return nil
	}
	password, err := c.streams.AskPassword(c.ctx, "Password of "+config.User+": ")
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if err != nil {
		return usageErrorf("no password: %v", err).withHint("use --password-file where there is no terminal")
	}
	config.Password = password
	return nil
}
