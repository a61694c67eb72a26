use ir::digest::SplitMix64; use ir::forest::*; use ir::op::*; use ir::*;
fn grow(r:&mut SplitMix64,t:&mut Tree,n_leaves:u32,sets:bool)->Child{
  if n_leaves==1 { let l=t.leaves.len() as u32; t.leaves.push(r.below(2000) as i32-1000); return Child::Leaf(l);}
  let at=t.splits.len(); let f=r.below(20);
  let test= if sets && f>=14 { Test::In(CodeSet([r.next_word()&0xffff,0,0,0])) } else { Test::Greater(r.below(100) as u8) };
  t.splits.push(Split{feature:f,test,missing_left:r.below(2)==0,left:Child::Leaf(0),right:Child::Leaf(0)});
  let l=1+r.below(n_leaves-1); let l = (l + n_leaves/2).div_ceil(2).clamp(1,n_leaves-1);
  let a=grow(r,t,l,sets); t.splits[at].left=a; let b=grow(r,t,n_leaves-l,sets); t.splits[at].right=b; Child::Split(at as u32)}
fn main(){ for (leaves,sets) in [(8,false),(16,false),(31,false),(31,true),(63,false),(63,true),(127,false),(255,true)] { let mut r=SplitMix64::new(5); let mut b=GraphBuilder::new();
  let xs:Vec<_>=(0..20).map(|i| b.input(&format!("x{i}"),if sets&&i>=14{DType::Str}else{DType::F64},Shape::rows()).unwrap()).collect();
  let mut codes=vec![]; let mut feats=vec![];
  for (i,&x) in xs.iter().enumerate(){ if sets&&i>=14 { let mut k:Vec<String>=(0..16).map(|i|format!("k{i}")).collect(); k.sort(); let c=b.constant(Tensor::vector(TensorData::Str(k))).unwrap(); codes.push(b.node(Op::Codes(Codes{unseen:255}),&[x,c]).unwrap()); feats.push(CodedFeature{n_codes:16,ordered:false}); }
    else { let e:Vec<f64>=(0..100).map(|i|i as f64).collect(); let c=b.constant(Tensor::vector(TensorData::F64(e))).unwrap(); codes.push(b.node(Op::Bin(Bin),&[x,c]).unwrap()); feats.push(CodedFeature{n_codes:101,ordered:true}); } }
  let n_trees=300; let trees=(0..n_trees).map(|_|{let mut t=Tree{width:1,..Tree::default()}; grow(&mut r,&mut t,leaves,sets); t}).collect();
  let f=Forest::try_new(feats,vec![0],trees).unwrap();
  let s=b.node(Op::Forest(ForestOp{forest:Box::new(f)}),&codes).unwrap(); let g=b.finish(&[s]).unwrap();
  let n=10_000usize; let cols:Vec<Vec<f64>>=(0..20).map(|_|(0..n).map(|_| if r.below(20)==0{f64::NAN}else{r.below(1010) as f64/10.0}).collect()).collect();
  let text:String="k7k12k3k0zz".into(); let offs:Vec<i32>=(0..=n).map(|_|0).collect::<Vec<_>>(); let _=(text,offs);
  let words:Vec<(Vec<i32>,Vec<u8>)>=(0..20).map(|_|{let mut o=vec![0];let mut by=vec![];for _ in 0..n{by.extend(format!("k{}",r.below(17)).bytes());o.push(by.len() as i32);}(o,by)}).collect();
  let columns:Vec<Column>=(0..20).map(|i| if sets&&i>=14 {Column::try_new(ColumnData::Str{offsets:&words[i].0,bytes:&words[i].1},None).unwrap()} else {Column::try_new(ColumnData::F64(&cols[i]),None).unwrap()}).collect();
  let p=smidgen_runtime::Plan::new(&g).unwrap(); let m=smidgen_runtime::reference::run(&g,&columns).unwrap(); assert_eq!(p.run(&columns).unwrap(),m);
  let mut best=f64::MAX; for _ in 0..7{ let t=std::time::Instant::now(); let o=p.run(&columns).unwrap(); let d=t.elapsed().as_nanos() as f64; std::hint::black_box(o); best=best.min(d);}
  let one:Vec<Column>=columns.iter().map(|c|c.slice(5,1).unwrap()).collect(); let mut b1=f64::MAX; for _ in 0..5{let t=std::time::Instant::now(); for _ in 0..200{std::hint::black_box(p.run(&one).unwrap());} b1=b1.min(t.elapsed().as_nanos() as f64/200.0);}
  println!("leaves {leaves:3} sets {sets:5}: {:.2} ns per row and tree; one row {:.0} ns", best/(n*n_trees) as f64, b1); } }
