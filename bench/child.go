package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi/embedded"
)

func isChild() bool { return os.Getenv(roleVar) != "" }

// childMain is main in the role that the environment names.
func childMain() int {
	role, args := os.Getenv(roleVar), os.Args[1:]
	roles := map[string]func(args []string) error{
		"server": serve, "writer": write, "script": scriptChild, "gets": getsChild,
	}
	if err := roles[role](args); err != nil {
		fmt.Fprintf(os.Stderr, "bench, as %s: %v\n", role, err)
		return 1
	}
	return 0
}

// serve runs a throw-away etcd, which does not sync, until standard input ends.
func serve(args []string) error {
	s, err := embedded.Start(context.Background(), embedded.Options{
		NoRangeStream: len(args) > 0 && args[0] == noRangeStream, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	fmt.Println(s.Endpoint())
	_, err = io.Copy(io.Discard, os.Stdin)
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	return err
}

const noRangeStream = "no-range-stream"

// write puts as many keys as each line of standard input says, a hundred a transaction, below the
// prefix that it is given, and answers when it has.
func write(args []string) error {
	c, err := newClientv3(args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		if err := fill(context.Background(), c, args[1], n); err != nil {
			return err
		}
		fmt.Println("done")
	}
	return lines.Err()
}

// fill puts n keys with values of 128 bytes.
func fill(ctx context.Context, c *clientv3.Client, prefix string, n int) error {
	value := strings.Repeat("v", 128)
	for i := 0; i < n; {
		var ops []clientv3.Op
		for ; i < n && len(ops) < 100; i++ {
			ops = append(ops, clientv3.OpPut(keyAt(prefix, i), value))
		}
		if err := commit(ctx, c, ops); err != nil {
			return err
		}
	}
	return nil
}

// commit writes until it is done: a server that is busy with a million keys loses its leader for a moment.
func commit(ctx context.Context, c *clientv3.Client, ops []clientv3.Op) (err error) {
	for range 10 {
		if _, err = c.Txn(ctx).Then(ops...).Commit(); err == nil {
			return nil
		}
	}
	return err
}

func keyAt(prefix string, i int) string { return fmt.Sprintf("%s%08d", prefix, i) }

// scriptChild runs the script on standard input and reports.
func scriptChild(args []string) error {
	gc, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	debug.SetGCPercent(gc)
	src, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	c, err := connect(context.Background(), args[1])
	if err != nil {
		return err
	}
	defer c.Close()
	s := &scripts{ctx: context.Background(), client: c}
	took, err := s.run(string(src), args[2:]...)
	if err != nil {
		return err
	}
	return printReport(report{Took: took, Noted: s.noted})
}

// getsChild reads keys with clientv3 from many goroutines and reports.
func getsChild(args []string) error {
	gc, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	debug.SetGCPercent(gc)
	c, err := newClientv3(args[1])
	if err != nil {
		return err
	}
	defer c.Close()
	tasks, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	each, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	took, err := goGets(context.Background(), c, tasks, each)
	if err != nil {
		return err
	}
	return printReport(report{Took: took})
}

func printReport(r report) (err error) {
	if r.Peak, err = peakMemory(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// peakMemory is the most memory that this process has had, in bytes.
func peakMemory() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("memory is measured on Linux only: %w", err)
	}
	return peakIn(string(status))
}

// peakIn finds the peak in the text of /proc/self/status.
func peakIn(status string) (float64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status has no VmHWM")
}
