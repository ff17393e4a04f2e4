// Package etcdapi is a client for etcd 3.4 to 3.7 that keeps what it promises: every request has a
// deadline, every error a code, and a write whose answer was lost says so.
//
// [Open] connects and makes sure that an etcd answers; the [Client] may then be used from any goroutine
// until its Close. Context comes first, options are structs whose zero value is the plain case, and
// keys and values are byte strings. A key that does not exist is nil, and a condition that is not met is
// Done = false with what was found: neither is an error. Every error is an [*Error].
//
// # Promises
//
// Reads are linearizable unless [GetOptions.Serializable] says otherwise. [Client.GetMany] reads any
// number of keys at one revision.
//
// A request runs for at most its Timeout option, else for [Config.CommandTimeout], and ends at once
// when its context does. Reads are sent again when a connection breaks, until that time is up. Writes
// never are: one whose fate is not known fails with [OutcomeUnknown], one that certainly was not
// applied with [OutcomeNone].
//
// What etcd would refuse anyway (an empty key, a request over [Config.MaxRequestBytes], options that
// contradict each other) is refused before anything is sent.
//
// Linearizable gets of single keys that are under way at once share requests: each Client has one
// coalescer (coalesce.go). It delays nothing, mixes up no results and no errors, and a caller that
// gives up does not disturb the others. A lone get is sent as it is.
//
// [KV] values are etcd's own messages, handed on and never copied: treat them as read-only.
//
// # Shutdown
//
// [Client.Close] ends what is still running on the client, which fails with [CodeClosed] or
// [CodeCancelled], and waits until its connections are closed. A watch is closed by whoever made it.
//
// Importing this package silences the log of grpc, which writes to stderr by itself, unless the
// environment asks for it with GRPC_GO_LOG_SEVERITY_LEVEL. What clientv3 has to say goes to
// [Config.Logger].
package etcdapi
