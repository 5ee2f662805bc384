#!/usr/bin/env bash
# The label cio on the node of a real Swarm: set, kept beside other labels, and good for constraints.
source "$(dirname "$0")/../../scripts/lib/integration.sh"
source "$root/scripts/lib/docker.sh"

in_docker_namespaces "$root/Tests/integration/swarm-label.sh" "$@"

labels() { docker node inspect self -f '{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}} {{end}}'; }
are_labels() { [ "$(labels)" = "$1" ]; }
runs() { [ "$(docker service ls -f "name=$1" --format '{{.Replicas}}')" = 1/1 ]; }

up --nodes 3
make_image
start_docker

testing 'an engine that has become the manager of a Swarm gets the label'
docker swarm init --advertise-addr 127.0.0.1 >/dev/null
# The operator changes the node at the same time.
docker node update --label-add zone=a "$(docker info -f '{{.Swarm.NodeID}}')" >/dev/null
eventually 30 are_labels 'cio=true zone=a '

testing 'only that label is changed, and what somebody takes away comes back'
id=$(docker info -f '{{.Swarm.NodeID}}')
docker node update --label-rm cio --label-add zone=b --availability active "$id" >/dev/null
eventually 30 are_labels 'cio=true zone=b '
same "$(docker node inspect self -f '{{.Spec.Availability}} {{.Spec.Role}}')" 'active manager'

testing 'where it is right nothing is written'
version=$(docker node inspect self -f '{{.Version.Index}}')
cio playground kill v2 --dir "$cluster"
cio playground start v2 --dir "$cluster"
eventually 20 status_is v2 normal
same "$(docker node inspect self -f '{{.Version.Index}}')" "$version"

testing 'services go by it'
docker service create --detach --network host --name good --constraint node.labels.cio==true \
    --no-resolve-image bb sleep 1000 >/dev/null
docker service create --detach --network host --name bad --constraint node.labels.cio==false \
    --no-resolve-image bb sleep 1000 >/dev/null
eventually 60 runs good
! runs bad || fail 'a service runs where it may not'
docker service rm good bad >/dev/null
docker swarm leave --force >/dev/null
