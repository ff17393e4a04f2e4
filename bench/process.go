package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// roleVar names what this program is when it starts itself again.
const roleVar = "ETCDLUA_BENCH_ROLE"

// process is this program in another role. It ends when its standard input does.
type process struct {
	role  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

func (b *bench) start(role string, args ...string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{role: role, cmd: exec.Command(exe, args...)}
	p.cmd.Env = append(os.Environ(), roleVar+"="+role)
	p.cmd.Stderr = b.log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(stdout)
	return p, p.cmd.Start()
}

// line reads what the process has to say.
func (p *process) line() (string, error) {
	s, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the %s gave no answer: %w", p.role, err)
	}
	return s[:len(s)-1], nil
}

func (p *process) stop() error {
	p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the %s: %w", p.role, err)
	}
	return nil
}

// withServer runs f beside an empty server of its own.
func (b *bench) withServer(f func(endpoint string) error, args ...string) (err error) {
	p, err := b.start("server", args...)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, p.stop())
	}()
	endpoint, err := p.line()
	if err != nil {
		return err
	}
	return f(endpoint)
}

// ask tells a writer to put n keys and returns at once; answer waits until it has.
func (p *process) ask(n int) error {
	_, err := io.WriteString(p.stdin, strconv.Itoa(n)+"\n")
	return err
}

func (p *process) answer() error {
	_, err := p.line()
	return err
}

// report is what a process tells of itself.
type report struct {
	Peak  float64            // bytes of memory at most
	Took  float64            // seconds of the measured part
	Noted map[string]float64 // what the script noted
}

// report waits for the end of the process and returns what it reported.
func (p *process) report() (r report, err error) {
	decodeErr := json.NewDecoder(p.out).Decode(&r)
	if err := p.stop(); err != nil {
		return report{}, err
	}
	return r, decodeErr
}
