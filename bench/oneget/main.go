// Command oneget is the plain Go program that etcdlua's start is compared with: connect, get one key,
// print its value and the memory that all of it took, end.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func main() {
	if err := get(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "oneget:", err)
		os.Exit(1)
	}
}

func get(endpoint, key string) error {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}})
	if err != nil {
		return err
	}
	defer c.Close()
	resp, err := c.Get(context.Background(), key)
	if err != nil {
		return err
	}
	for _, kv := range resp.Kvs {
		fmt.Println(string(kv.Value))
	}
	return printPeak()
}

// printPeak prints the line of /proc/self/status that has the peak. On other systems there is none.
func printPeak() error {
	status, err := os.ReadFile("/proc/self/status")
	if os.IsNotExist(err) {
		return nil
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Print(line)
		}
	}
	return err
}
