package etcdapi

type coalescer struct{ c *Client }

func newCoalescer(c *Client) *coalescer { return &coalescer{c: c} }
