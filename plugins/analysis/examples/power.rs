#[path = "../tests/support/mod.rs"]
mod support;
use windlass_analysis::evidence::*;
use support::Dice;
fn main() {
    for (p0,p1) in [(0.005,0.1),(0.005,0.05),(0.005,0.02),(0.005,0.01),(0.,0.01),(0.005,0.005),(0.0,0.0),(0.5,0.5),(0.05,0.05)] { for margin in [0.0,0.001] {
    for (nb,nc) in [(99u64,1u64),(90,10),(75,25),(50,50),(990,10),(900,100),(500,500)] {
        let mut found=vec![]; let mut worst=0.0f64;
        for seed in 0..300 {
            let mut d=Dice(seed*7919+nb);
            let mut e=Evidence::new(margin);
            let mut n=0;
            let mut hit = None;
            for i in 0..2000u32 {
                if n>=100_000 || i>=300 && p0==p1 {break;}
                let t=Table{baseline:d.side(nb,p0),canary:d.side(nc,p1)};
                n+=nc;
                e.observe(&t);
                if e.ln_e()>=100f64.ln() {hit=Some(n);break;}
            }
            worst=worst.min(e.ln_e());
            if let Some(n)=hit {found.push(n)}
        }
        found.sort();
        println!("{p0} {p1} m{margin} {nb}:{nc} found {}/300 median {:?} p90 {:?} worst {worst:.1}",found.len(),found.get(150),found.get(270));
    }}}
}
