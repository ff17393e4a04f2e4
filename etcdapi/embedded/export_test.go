package embedded

// Kill stops the server underneath.
func Kill(s *Server) { s.etcd.Server.Stop() }
