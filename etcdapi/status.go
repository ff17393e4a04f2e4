package etcdapi

import (
	"context"
	"fmt"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Status is what one member says of itself. Fields that older servers do not send are zero.
type Status struct {
	Endpoint         string // that was asked
	Version          string // of the server
	StorageVersion   string // of the data's schema (from 3.6)
	Revision         int64  // of the store, as this member has it
	DBSize           int64  // bytes of the database file
	DBSizeInUse      int64  // bytes of it that hold data
	DBSizeQuota      int64  // the limit for DBSize (from 3.6)
	Leader           string // the leader's id in hexadecimal, "" when this member knows of none
	IsLeader         bool
	IsLearner        bool
	MemberID         string // in hexadecimal
	ClusterID        string // in hexadecimal
	RaftTerm         uint64
	RaftIndex        uint64
	RaftAppliedIndex uint64
	Errors           []string // alarms and faults; empty when all is well
}

// Status asks one member: that at endpoint, or for "" the first of the configured endpoints that answers.
func (c *Client) Status(ctx context.Context, endpoint string) (*Status, error) {
	ctx, cancel := c.withTimeout(ctx, 0)
	defer cancel()
	if endpoint != "" {
		if err := validEndpoint(endpoint); err != nil {
			return nil, wrap("status", endpoint, false, err)
		}
		s, err := c.statusOf(ctx, endpoint)
		return s, wrap("status", endpoint, false, err)
	}
	var failures []string
	endpoints := c.v3.Endpoints()
	for i, ep := range endpoints {
		s, err := c.statusWithin(ctx, ep, len(endpoints)-i)
		if err == nil || ctx.Err() != nil || len(endpoints) == 1 {
			return s, wrap("status", "", false, err)
		}
		failures = append(failures, fmt.Sprintf("%s: %s", ep, connectCause(description(err))))
	}
	return nil, &Error{Op: "status", Code: CodeUnavailable, Outcome: OutcomeNone, Retryable: true,
		Message: "no endpoint answers: " + strings.Join(failures, "; "), Hint: "check that etcd runs and that the endpoints are right"}
}

// statusWithin leaves time for the endpoints that come after this one.
func (c *Client) statusWithin(ctx context.Context, endpoint string, left int) (*Status, error) {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
	defer cancel()
	return c.statusOf(ctx, endpoint)
}

// statusOf asks over a connection of its own: the client's own goes to any member.
func (c *Client) statusOf(ctx context.Context, endpoint string) (*Status, error) {
	conn := c.v3.ActiveConnection()
	if endpoints := c.v3.Endpoints(); len(endpoints) != 1 || endpoints[0] != endpoint {
		own, err := c.v3.Dial(endpoint)
		if err != nil {
			return nil, err
		}
		defer own.Close()
		conn = own
	}
	r, err := pb.NewMaintenanceClient(conn).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return nil, err
	}
	s := &Status{
		Endpoint: endpoint, Version: r.Version, StorageVersion: r.StorageVersion,
		Revision: r.GetHeader().GetRevision(), DBSize: r.DbSize, DBSizeInUse: r.DbSizeInUse, DBSizeQuota: r.DbSizeQuota,
		IsLeader: r.Leader != 0 && r.Leader == r.GetHeader().GetMemberId(), IsLearner: r.IsLearner,
		MemberID: FormatID(r.GetHeader().GetMemberId()), ClusterID: FormatID(r.GetHeader().GetClusterId()),
		RaftTerm: r.RaftTerm, RaftIndex: r.RaftIndex, RaftAppliedIndex: r.RaftAppliedIndex, Errors: r.Errors,
	}
	if r.Leader != 0 {
		s.Leader = FormatID(r.Leader)
	}
	return s, nil
}
