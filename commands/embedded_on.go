//go:build !noembed

package commands

import (
	"context"
	"errors"
	"log/slog"

	"etcdlua/etcdapi/embedded"
)

// hasEmbedded tells that the program can be an etcd itself.
const hasEmbedded = true

// embeddedOptions say where an embedded server listens and keeps its data.
type embeddedOptions struct {
	listen  string // "" for a free port
	dataDir string // "" for a throw-away folder
	logger  *slog.Logger
}

// embeddedServer is a server that runs.
type embeddedServer struct {
	endpoint, dataDir string
	close             func() error
	died              <-chan error
}

func startEmbedded(ctx context.Context, o embeddedOptions) (*embeddedServer, error) {
	s, err := embedded.Start(ctx, embedded.Options{DataDir: o.dataDir, Listen: o.listen, Logger: o.logger})
	if bad := (*embedded.ListenError)(nil); errors.As(err, &bad) {
		return nil, &codedError{code: exitUsage, err: err}
	}
	if err != nil {
		return nil, err
	}
	return &embeddedServer{endpoint: s.Endpoint(), dataDir: s.DataDir(), close: s.Close, died: s.Err()}, nil
}
