package embedded

import (
	"errors"

	"go.uber.org/zap"
)

// Kill stops the server underneath.
func Kill(s *Server) { s.etcd.Server.Stop() }

// Fatal logs what etcd logs before it would end the process, and tells whether it returned to who logged it.
func Fatal(s *Server, message string) (returned bool) {
	donec := make(chan struct{})
	go func() {
		defer close(donec)
		s.zapLogger().Fatal("failed to save", zap.Error(errors.New(message)))
		returned = true
	}()
	<-donec
	return returned
}
