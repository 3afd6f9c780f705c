package docker

import (
	"net/netip"
	"strconv"
)

// HostPort is the host's address and port of the first TCP port that is published, as "127.0.0.1:49153"; empty if
// there is none.
func (c Container) HostPort() string {
	for _, port := range c.Ports {
		if port.Protocol != ProtocolTCP {
			continue
		}
		address, err := netip.ParseAddr(port.Address)
		if err != nil || address.IsUnspecified() {
			// All addresses are no address to connect to.
			return "127.0.0.1:" + strconv.Itoa(int(port.Host))
		}
		return netip.AddrPortFrom(address, port.Host).String()
	}
	return ""
}

// Up says whether it goes on by itself: it runs, or Docker is starting it again.
func (c Container) Up() bool {
	return c.State == ContainerStateRunning || c.State == ContainerStateRestarting || c.State == ContainerStatePaused
}
