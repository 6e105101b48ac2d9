# Installation: find_package(vaeguard) gives vaeguard::<folder> targets.
