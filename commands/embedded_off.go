//go:build noembed

package commands

import (
	"context"
	"log/slog"
)

// hasEmbedded tells that the program can be an etcd itself.
const hasEmbedded = false

type embeddedOptions struct {
	listen  string
	dataDir string
	logger  *slog.Logger
}

type embeddedServer struct {
	endpoint, dataDir string
	close             func() error
	died              <-chan error
}

func startEmbedded(context.Context, embeddedOptions) (*embeddedServer, error) {
	return nil, (&codedError{code: exitNoEtcd, text: "this etcdlua was built without the embedded etcd (build tag noembed)"}).
		withHint("give --endpoints HOST:PORT or set ETCDCTL_ENDPOINTS, or build without the tag")
}
