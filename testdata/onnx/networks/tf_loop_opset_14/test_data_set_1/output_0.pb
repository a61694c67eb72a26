B
Identity:0J$WBu[áAIiGAØKHAª/AÁ-BHş
B•ƒOAŞHA