//! Irregular JSON for tests.

/// Arrays and objects of many sizes in one another, more than the indexes of a document take in one step. Objects have
/// at most so many different names; where they need more, names repeat.
pub(crate) fn thicket(seed: u64, names: usize) -> String {
    Thicket {
        seed,
        names,
        left: 3000,
    }
    .grow(9)
}

struct Thicket {
    seed: u64,
    names: usize,
    /// Nodes that may still grow.
    left: usize,
}

impl Thicket {
    fn random(&mut self, below: usize) -> usize {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % below
    }

    fn grow(&mut self, depth: usize) -> String {
        self.left = self.left.saturating_sub(1);
        if depth == 0 || self.left == 0 {
            return self.random(100).to_string();
        }
        let width = [0, 1, 2, 3, 70, 200][self.random(6)];
        let object = self.random(2) == 0;
        let item = |index| {
            let below = self.random(depth);
            let item = self.grow(below);
            if object {
                format!("\"k{}\":{item}", index % self.names)
            } else {
                item
            }
        };
        let items = (0..width).map(item).collect::<Vec<_>>().join(",");
        if object {
            format!("{{{items}}}")
        } else {
            format!("[{items}]")
        }
    }
}
