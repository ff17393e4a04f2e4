package etcdapi

import "context"

// listing hands out the keys that exist, all at one revision, interval by interval.
type listing struct {
	queries  []*Query
	pages    *Pages // of queries[0]
	ready    []*KV  // a page that was read ahead
	revision int64
	silent   bool // the watch is of deletes only
	cancel   context.CancelFunc
	ctx      context.Context // ends with the watch
}

// startListing reads the first page, linearizably, which says the revision.
func startListing(ctx context.Context, c *Client, spans []span, filter string) (*listing, error) {
	l := &listing{silent: filter == "delete"}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	o := QueryOptions{KeysOnly: l.silent}
	for i, s := range spans {
		q, err := c.Query(Interval{From: s.from, To: s.to}, o)
		if err != nil {
			return nil, err
		}
		l.queries = append(l.queries, q)
		if i > 0 {
			continue
		}
		if err := l.first(ctx); err != nil {
			l.cancel()
			return nil, err
		}
		o.Revision = l.revision
	}
	return l, nil
}

// first reads the first page of the first interval; of a silent listing, only the revision.
func (l *listing) first(ctx context.Context) (err error) {
	if l.silent {
		_, l.revision, err = l.queries[0].Count(ctx)
		return err
	}
	l.pages = l.queries[0].Pages(l.ctx)
	l.ready, err = l.pages.Next(ctx)
	l.revision = l.pages.Revision()
	return err
}

// next returns the next keys as a batch; the last one, marked Synced, has none.
func (l *listing) next(ctx context.Context) (*Batch, error) {
	kvs := l.ready
	l.ready = nil
	for kvs == nil {
		if l.pages == nil && !l.nextQuery() {
			return &Batch{Revision: l.revision, Synced: true}, nil
		}
		var err error
		if kvs, err = l.pages.Next(ctx); err != nil {
			return nil, err
		}
		if kvs == nil {
			l.pages = nil
			l.queries = l.queries[1:]
		}
	}
	b := &Batch{Events: make([]Event, len(kvs))}
	for i, kv := range kvs {
		b.Events[i] = Event{Type: EventPut, Initial: true, KV: kv}
	}
	return b, nil
}

// nextQuery starts to read the next interval, if there is one.
func (l *listing) nextQuery() bool {
	if l.silent || len(l.queries) == 0 {
		return false
	}
	l.pages = l.queries[0].Pages(l.ctx)
	return true
}
