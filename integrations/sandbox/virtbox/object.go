package virtbox

import (
	"fmt"
	"time"
)

// commission is the number that goes with a state.
func commission(state string) int {
	return map[string]int{stateAllocated: 0, stateQueued: 1, stateBuilding: 1, stateFailed: 2, stateComplete: 3}[state]
}

// object is the whole server object, as the vendor's example of GET
// /servers/{id} shows it, less the parts nobody reads.
func (b *Box) object(s *server) map[string]any {
	age := b.age(s)
	var hostname, built any
	if s.hostname != "" {
		hostname = s.hostname
	}
	if !s.built.IsZero() {
		built = seconds(s.built)
	}
	room := b.resources(s.group)
	delete(room, "network") // only the group's list of resources has it
	return map[string]any{
		"id": s.id, "ownerId": s.owner.id, "hypervisorId": s.group.Hypervisor, "arch": 1, "name": s.name, "selfService": 0,
		"selfServiceSettings": []any{}, "hostname": hostname, "commissionStatus": commission(s.state), "uuid": s.uuid, "state": s.state,
		"migratable": true, "timezone": "_default", "migrateLevel": 0, "deleteLevel": 0, "configLevel": 0, "backupLevel": 0,
		"destroyable": true, "rebuild": false, "suspended": s.suspended, "protected": s.protected,
		// The vendor's example of a failed server says false here.
		"buildFailed": false,
		"built":       built, "created": seconds(s.created), "updated": seconds(s.updated),
		"traffic": map[string]any{"public": map[string]any{"countMethod": 1, "currentPeriod": map[string]any{
			"start": micro(s.month(age)), "end": micro(s.month(age + 1).Add(-time.Microsecond)), "limit": s.pkg.TrafficGB,
		}}},
		"settings": map[string]any{
			"osTemplateInstall": true, "osTemplateInstallId": s.template, "encryptedPassword": "eyJpdiI6IkYvTlVM",
			"resources": map[string]any{"memory": s.pkg.MemoryMB, "storage": s.pkg.DiskGB, "traffic": s.pkg.TrafficGB, "cpuCores": s.pkg.Cores},
			"config":    []any{},
		},
		"cpu":     map[string]any{"cores": s.pkg.Cores, "type": "inherit", "shares": 1024, "throttle": 0},
		"vnc":     map[string]any{"ip": "192.168.4.2", "port": 5900 + s.id%100, "enabled": false},
		"network": map[string]any{"interfaces": []any{b.nic(s)}, "secondaryInterfaces": []any{}},
		"storage": []any{map[string]any{"_id": s.id, "id": 1, "capacity": s.pkg.DiskGB, "drive": "a", "type": "qcow2", "primary": true, "enabled": true}},
		"hypervisor": map[string]any{
			"id": s.group.Hypervisor, "maintenance": false, "groupId": s.group.ID, "group": map[string]any{"name": s.group.Name, "icon": nil},
			"name": fmt.Sprintf("HV %d", s.group.Hypervisor), "resources": room,
		},
		"owner": map[string]any{
			"id": s.owner.id, "admin": false, "extRelationId": s.owner.extRelation(), "name": s.owner.name, "email": s.owner.email,
			"timezone": "Europe/London", "suspended": s.owner.suspended, "twoFactorAuth": false, "created": seconds(s.owner.created),
			"updated": seconds(s.owner.created),
		},
		"sshKeys": s.keyList(), "sharedUsers": []any{},
		"tasks":       map[string]any{"active": b.busy(s), "lastOn": s.updated.UTC().Format(time.DateTime), "actions": map[string]any{"pending": []any{}}},
		"remoteState": false,
	}
}

func (s *server) keyList() []any {
	list := []any{}
	for _, id := range s.keys {
		list = append(list, map[string]any{"id": id, "ownerId": s.owner.id, "type": "OpenSSH", "enabled": true})
	}
	return list
}

// listed is the shorter object in the list of a user's servers: no time of
// creation, no owner, no tasks.
func (b *Box) listed(s *server) map[string]any {
	full := b.object(s)
	out := map[string]any{
		"backup_level": 0, "backup_plan": nil, "server_info": map[string]any{"show": false, "icon": nil, "name": nil, "label": nil},
		"resources": map[string]any{"memory": s.pkg.MemoryMB, "storage": s.pkg.DiskGB, "traffic": s.pkg.TrafficGB, "cpuCores": s.pkg.Cores, "cpu_model": nil},
		"network":   map[string]any{"interfaces": []any{b.listedNIC(s)}},
		"media":     map[string]any{"isoMounted": false, "isoName": ""},
	}
	for _, key := range []string{"id", "ownerId", "hypervisorId", "name", "hostname", "commissionStatus", "uuid", "state", "rebuild", "suspended", "protected", "buildFailed"} {
		out[key] = full[key]
	}
	return out
}

// listedNIC is the shorter interface in that list.
func (b *Box) listedNIC(s *server) map[string]any {
	out := b.nic(s)
	for _, key := range []string{"id", "type", "inTrafficCount", "outTrafficCount"} {
		delete(out, key)
	}
	v4, _ := out["ipv4"].([]any)
	for _, a := range v4 {
		address, _ := a.(map[string]any)
		for _, key := range []string{"id", "blockId", "rdns", "mac"} {
			delete(address, key)
		}
	}
	return out
}

func (b *Box) nic(s *server) map[string]any {
	v4, v6 := []any{}, []any{}
	for i, a := range s.v4 {
		v4 = append(v4, map[string]any{
			"id": i + 1, "order": i + 1, "enabled": true, "blockId": 1, "address": a.String(), "gateway": b.gateway4().String(),
			"netmask": "255.255.255.0", "resolver1": "8.8.8.8", "resolver2": "8.8.4.4", "rdns": nil, "mac": nil,
		})
	}
	if s.v6.IsValid() {
		v6 = append(v6, map[string]any{
			"id": s.id, "block": map[string]any{"id": 5, "name": "IPv6"}, "order": 1, "enabled": true, "addresses": []any{},
			"subnet": s.v6.Addr().String(), "cidr": s.v6.Bits(), "exhausted": false, "gateway": block6.Next().String(),
			"resolver1": "2001:4860:4860::8888", "resolver2": "2001:4860:4860::8844", "routeNet": false,
		})
	}
	return map[string]any{
		"id": s.id, "order": 1, "enabled": true, "tag": 4_000_000_000 + s.id, "name": "eth0", "type": "public",
		"mac":            fmt.Sprintf("00:E7:FB:%02X:%02X:%02X", byte(s.id>>16), byte(s.id>>8), byte(s.id)),
		"inTrafficCount": true, "outTrafficCount": false, "ipv4": v4, "ipv6": v6,
	}
}
