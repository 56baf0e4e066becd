package load

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync/atomic"
	"time"
)

// perSource is how many clients share a source address. A pair of addresses has about 28 000
// ports, and one that was just closed is not to be had for a minute.
const perSource = 2000

// network gives sockets their source. On Linux all of 127.0.0.0/8 is this machine, so that a
// load on the machine itself can come from as many addresses as it needs.
type network struct {
	clients []*http.Client // nil: the client package's own
	next    atomic.Int64
}

func newNetwork(o Options) *network {
	n := &network{}
	if o.dial != nil || runtime.GOOS != "linux" || o.Clients+o.Spike.Clients <= perSource || !loopback(o.URL) {
		return n
	}
	for i := range (o.Clients+o.Spike.Clients)/perSource + 1 {
		from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(i/250), byte(1+i%250))}
		n.clients = append(n.clients, &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, kind, addr string) (net.Conn, error) {
				d := net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}
				return d.DialContext(ctx, kind, addr)
			},
			DisableKeepAlives:  true,
			DisableCompression: true,
		}})
	}
	return n
}

// client is the next source; nil: any.
func (n *network) client() *http.Client {
	if len(n.clients) == 0 {
		return nil
	}
	return n.clients[int(n.next.Add(1))%len(n.clients)]
}

// loopback tells whether the URL is of this machine by IPv4.
func loopback(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip.To4() != nil && ip.IsLoopback()
}
